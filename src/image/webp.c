/* SPDX-License-Identifier: MIT */
/* WebP -> picture, through libwebp; of an animation its first frame on its canvas, as Pillow. */
#include "base/status.h"
#include "image/decode.h"
#include "image/orientation.h"

#include <string.h>
#include <webp/decode.h>
#include <webp/demux.h>

static clipc_status fail(const clipc_encoded_image *in, clipc_error *error)
{
    return clipc_fail_decoding(in, "WebP", "it does not decode, it may end early", error);
}

static unsigned find_orientation(const WebPData *data)
{
    WebPDemuxer *demuxer = WebPDemux(data);
    WebPChunkIterator chunk;
    unsigned orientation = 1;

    if (demuxer && WebPDemuxGetChunk(demuxer, "EXIF", 1, &chunk)) {
        orientation = clipc_exif_orientation(chunk.chunk.bytes, chunk.chunk.size);
        WebPDemuxReleaseChunkIterator(&chunk);
    }
    WebPDemuxDelete(demuxer);
    return orientation;
}

/* A picture that does not move is decoded in place. */
static clipc_status decode_still(clipc_image *image, const clipc_encoded_image *in,
                                 clipc_error *error)
{
    const size_t stride = image->width * clipc_mode_bytes(image->mode);
    const uint8_t *decoded = image->mode == CLIPC_MODE_RGBA
                                 ? WebPDecodeRGBAInto(in->bytes, in->size, image->samples,
                                                      stride * image->height, (int)stride)
                                 : WebPDecodeRGBInto(in->bytes, in->size, image->samples,
                                                     stride * image->height, (int)stride);

    return decoded ? CLIPC_OK : fail(in, error);
}

static clipc_status decode_first_frame(clipc_image *image, const WebPData *data,
                                       const clipc_encoded_image *in, clipc_error *error)
{
    const size_t channels = clipc_mode_bytes(image->mode);
    const size_t pixels = (size_t)image->width * image->height;
    WebPAnimDecoder *decoder = WebPAnimDecoderNew(data, NULL);
    uint8_t *rgba; /* the decoder's */
    int timestamp;
    bool is_read = decoder && WebPAnimDecoderGetNext(decoder, &rgba, &timestamp);

    for (size_t i = 0; is_read && i < pixels; i++)
        memcpy(image->samples + i * channels, rgba + i * 4, channels);
    WebPAnimDecoderDelete(decoder);
    return is_read ? CLIPC_OK : fail(in, error);
}

clipc_status clipc_decode_webp(clipc_image **out, const clipc_encoded_image *in, clipc_error *error)
{
    const WebPData data = {in->bytes, in->size};
    WebPBitstreamFeatures features;
    clipc_status status;

    if (WebPGetFeatures(in->bytes, in->size, &features) != VP8_STATUS_OK)
        return clipc_fail_decoding(in, "WebP", "its header is malformed", error);
    status = clipc_check_pixels(in, (uint64_t)features.width, (uint64_t)features.height, error);
    if (!status)
        status =
            clipc_image_new(out, features.has_alpha ? CLIPC_MODE_RGBA : CLIPC_MODE_RGB,
                            (uint32_t)features.width, (uint32_t)features.height, in->source, error);
    if (status)
        return status;
    (*out)->orientation = find_orientation(&data);
    return features.has_animation ? decode_first_frame(*out, &data, in, error)
                                  : decode_still(*out, in, error);
}

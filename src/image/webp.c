/* SPDX-License-Identifier: MIT */
/* WebP -> picture, through libwebp; of an animation its first frame on its canvas, as Pillow. */
#include "base/status.h"
#include "image/decode.h"
#include "image/orientation.h"

#include <string.h>
#include <webp/decode.h>
#include <webp/demux.h>

static void copy_canvas(clipc_image *image, const uint8_t *rgba)
{
    const size_t channels = clipc_mode_bytes(image->mode);
    const size_t pixels = (size_t)image->width * image->height;

    for (size_t i = 0; i < pixels; i++)
        memcpy(image->samples + i * channels, rgba + i * 4, channels);
}

static unsigned find_orientation(const WebPAnimDecoder *decoder)
{
    const WebPDemuxer *demuxer = WebPAnimDecoderGetDemuxer(decoder);
    WebPChunkIterator chunk;
    unsigned orientation = 1;

    if (demuxer && WebPDemuxGetChunk(demuxer, "EXIF", 1, &chunk)) {
        orientation = clipc_exif_orientation(chunk.chunk.bytes, chunk.chunk.size);
        WebPDemuxReleaseChunkIterator(&chunk);
    }
    return orientation;
}

static clipc_status decode(clipc_image **out, WebPAnimDecoder *decoder, bool has_alpha,
                           const clipc_encoded_image *in, clipc_error *error)
{
    WebPAnimInfo info;
    uint8_t *rgba; /* the decoder's */
    int timestamp;
    clipc_status status;

    if (!WebPAnimDecoderGetInfo(decoder, &info) ||
        !WebPAnimDecoderGetNext(decoder, &rgba, &timestamp))
        return clipc_fail_decoding(in, "WebP", "it does not decode, it may end early", error);
    status = clipc_image_new(out, has_alpha ? CLIPC_MODE_RGBA : CLIPC_MODE_RGB, info.canvas_width,
                             info.canvas_height, in->source, error);
    if (status)
        return status;
    copy_canvas(*out, rgba);
    (*out)->orientation = find_orientation(decoder);
    return CLIPC_OK;
}

clipc_status clipc_decode_webp(clipc_image **out, const clipc_encoded_image *in, clipc_error *error)
{
    const WebPData data = {in->bytes, in->size};
    WebPBitstreamFeatures features;
    WebPAnimDecoder *decoder;
    clipc_status status;

    if (WebPGetFeatures(in->bytes, in->size, &features) != VP8_STATUS_OK)
        return clipc_fail_decoding(in, "WebP", "its header is malformed", error);
    status = clipc_check_pixels(in, (uint64_t)features.width, (uint64_t)features.height, error);
    if (status)
        return status;
    decoder = WebPAnimDecoderNew(&data, NULL);
    if (!decoder)
        return clipc_fail_decoding(in, "WebP", "it does not decode, it may end early", error);
    status = decode(out, decoder, features.has_alpha != 0, in, error);
    WebPAnimDecoderDelete(decoder);
    return status;
}

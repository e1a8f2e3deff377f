/* SPDX-License-Identifier: MIT */
/* JPEG -> picture, through libjpeg with the settings Pillow uses (slow DCT, fancy upsampling). */
#include "base/status.h"
#include "image/decode.h"
#include "image/orientation.h"

#include <setjmp.h>
#include <stdio.h>
#include <string.h>

#include <jerror.h>
#include <jpeglib.h>

/* A progressive file of many scans over a large picture takes long: real ones have some ten. */
#define MOST_SCANS 500
#define LONGEST_MESSAGE JMSG_LENGTH_MAX

typedef struct jpeg_state {
    struct jpeg_decompress_struct library;
    struct jpeg_error_mgr errors;
    struct jpeg_source_mgr input;
    struct jpeg_progress_mgr progress;
    jmp_buf escape;
    char message[LONGEST_MESSAGE];
} jpeg_state;

static void on_error(j_common_ptr library)
{
    jpeg_state *state = library->client_data;

    library->err->format_message(library, state->message);
    longjmp(state->escape, 1);
}

static void on_message(j_common_ptr library)
{
    (void)library; /* warnings: Pillow goes on after them, too */
}

static void on_progress(j_common_ptr library)
{
    jpeg_state *state = library->client_data;

    if (state->library.input_scan_number <= MOST_SCANS)
        return;
    snprintf(state->message, sizeof(state->message), "it has more than %d scans", MOST_SCANS);
    longjmp(state->escape, 1);
}

static void do_nothing(j_decompress_ptr library)
{
    (void)library;
}

/* All bytes were there from the beginning: whoever asks for more has a truncated file. */
static boolean on_end(j_decompress_ptr library)
{
    jpeg_state *state = library->client_data;

    snprintf(state->message, sizeof(state->message), "it ends early");
    longjmp(state->escape, 1);
}

static void skip(j_decompress_ptr library, long count)
{
    if (count <= 0)
        return;
    if ((unsigned long)count > library->src->bytes_in_buffer)
        on_end(library);
    library->src->next_input_byte += count;
    library->src->bytes_in_buffer -= (size_t)count;
}

static void open_library(jpeg_state *state, const clipc_encoded_image *in)
{
    state->library.client_data = state;
    state->library.err = jpeg_std_error(&state->errors);
    state->errors.error_exit = on_error;
    state->errors.output_message = on_message;
    jpeg_create_decompress(&state->library);
    state->input = (struct jpeg_source_mgr){
        .next_input_byte = in->bytes,
        .bytes_in_buffer = in->size,
        .init_source = do_nothing,
        .fill_input_buffer = on_end,
        .skip_input_data = skip,
        .resync_to_restart = jpeg_resync_to_restart,
        .term_source = do_nothing,
    };
    state->library.src = &state->input;
    state->progress.progress_monitor = on_progress;
    state->library.progress = &state->progress;
    jpeg_save_markers(&state->library, JPEG_APP0 + 1, 0xFFFF);
}

static unsigned find_orientation(const jpeg_state *state)
{
    for (jpeg_saved_marker_ptr marker = state->library.marker_list; marker; marker = marker->next)
        if (marker->data_length >= 6 && memcmp(marker->data, "Exif\0", 6) == 0)
            return clipc_exif_orientation(marker->data, marker->data_length);
    return 1;
}

/* The mode by the number of components, as Pillow's header parser says; false for none of its. */
static bool choose_mode(jpeg_state *state, clipc_mode *mode)
{
    switch (state->library.num_components) {
    case 1:
        *mode = CLIPC_MODE_L;
        state->library.out_color_space = JCS_GRAYSCALE;
        return true;
    case 3:
        *mode = CLIPC_MODE_RGB;
        state->library.out_color_space = JCS_RGB;
        return true;
    case 4:
        *mode = CLIPC_MODE_CMYK;
        state->library.out_color_space = JCS_CMYK;
        return true;
    default: return false;
    }
}

/* Adobe writes CMYK inverted, and Pillow takes every CMYK file for Adobe's. */
static void invert(clipc_image *image)
{
    const size_t bytes = (size_t)image->width * image->height * 4;

    for (size_t i = 0; i < bytes; i++)
        image->samples[i] = (uint8_t)(255 - image->samples[i]);
}

/* May leave through state->escape; what it allocates is then in *out. */
static clipc_status decode(jpeg_state *state, clipc_image **out, const clipc_encoded_image *in,
                           clipc_error *error)
{
    struct jpeg_decompress_struct *library = &state->library;
    clipc_mode mode;
    clipc_status status;

    open_library(state, in);
    jpeg_read_header(library, TRUE);
    status = clipc_check_pixels(in, library->image_width, library->image_height, error);
    if (status)
        return status;
    if (!choose_mode(state, &mode))
        return clipc_fail(error, CLIPC_ERROR_UNSUPPORTED,
                          "%s: a JPEG of %d components; 1, 3 or 4 were expected", in->source,
                          library->num_components);
    status =
        clipc_image_new(out, mode, library->image_width, library->image_height, in->source, error);
    if (status)
        return status;
    (*out)->orientation = find_orientation(state);
    jpeg_start_decompress(library);
    while (library->output_scanline < library->output_height) {
        JSAMPROW row = clipc_image_row(*out, library->output_scanline);

        jpeg_read_scanlines(library, &row, 1);
    }
    /* Whether an end marker follows, and what comes after it, no longer matters. */
    if (mode == CLIPC_MODE_CMYK)
        invert(*out);
    return CLIPC_OK;
}

clipc_status clipc_decode_jpeg(clipc_image **out, const clipc_encoded_image *in, clipc_error *error)
{
    jpeg_state state = {.message = ""};
    clipc_status status;

    if (setjmp(state.escape) == 0)
        status = decode(&state, out, in, error);
    else
        status = clipc_fail_decoding(in, "JPEG", state.message, error);
    jpeg_destroy_decompress(&state.library);
    return status;
}

/* SPDX-License-Identifier: MIT */
/*
 * JPEG -> picture, through libjpeg with the settings Pillow uses (slow DCT, fancy upsampling): the
 * whole, or the crop that the encoder sees.
 */
#include "base/memory.h"
#include "base/status.h"
#include "image/crop.h"
#include "image/decode.h"
#include "image/kernels/kernels.h"
#include "image/orientation.h"
#include "image/resampler.h"

#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jerror.h>
#include <jpeglib.h>

/* A progressive file of many scans over a large picture takes long: real ones have some ten. */
#define MOST_SCANS 500
#define LONGEST_MESSAGE JMSG_LENGTH_MAX

/* Few enough to stay in a near cache until they are resized. */
#define STRIP_ROWS 8

typedef struct jpeg_state {
    struct jpeg_decompress_struct library;
    struct jpeg_error_mgr errors;
    struct jpeg_source_mgr input;
    struct jpeg_progress_mgr progress;
    jmp_buf escape;
    char message[LONGEST_MESSAGE];
    clipc_mode mode;
    clipc_resampler *resampler; /* for a crop, as the rest */
    uint8_t *strip;             /* STRIP_ROWS rows of the columns from `left` on */
    JDIMENSION left;
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
static bool choose_mode(jpeg_state *state)
{
    switch (state->library.num_components) {
    case 1:
        state->mode = CLIPC_MODE_L;
        state->library.out_color_space = JCS_GRAYSCALE;
        return true;
    case 3:
        state->mode = CLIPC_MODE_RGB;
        state->library.out_color_space = JCS_RGB;
        return true;
    case 4:
        state->mode = CLIPC_MODE_CMYK;
        state->library.out_color_space = JCS_CMYK;
        return true;
    default: return false;
    }
}

/* The header, checked. */
static clipc_status read_header(jpeg_state *state, const clipc_encoded_image *in,
                                clipc_error *error)
{
    struct jpeg_decompress_struct *library = &state->library;
    clipc_status status;

    open_library(state, in);
    jpeg_read_header(library, TRUE);
    status = clipc_check_pixels(in, library->image_width, library->image_height, error);
    if (!status && !choose_mode(state))
        status = clipc_fail(error, CLIPC_ERROR_UNSUPPORTED,
                            "%s: a JPEG of %d components; 1, 3 or 4 were expected", in->source,
                            library->num_components);
    return status;
}

/* The next n rows. Adobe writes CMYK inverted, and Pillow takes every CMYK file for Adobe's. */
static void read_rows(jpeg_state *state, uint8_t *rows, JDIMENSION n)
{
    const size_t stride = state->library.output_width * clipc_mode_bytes(state->mode);

    for (JDIMENSION i = 0; i < n;) {
        JSAMPROW row = rows + i * stride;

        i += jpeg_read_scanlines(&state->library, &row, 1);
    }
    for (size_t i = 0; state->mode == CLIPC_MODE_CMYK && i < n * stride; i++)
        rows[i] = (uint8_t)(255 - rows[i]);
}

/*
 * May leave through state->escape; what it allocates is then in *out. Whether an end marker follows
 * the last row, and what comes after it, does not matter.
 */
static clipc_status decode(jpeg_state *state, clipc_image **out, const clipc_encoded_image *in,
                           clipc_error *error)
{
    clipc_status status = read_header(state, in, error);

    if (!status)
        status = clipc_image_new(out, state->mode, state->library.image_width,
                                 state->library.image_height, in->source, error);
    if (status)
        return status;
    (*out)->orientation = find_orientation(state);
    jpeg_start_decompress(&state->library);
    read_rows(state, (*out)->samples, state->library.output_height);
    return CLIPC_OK;
}

/* --- The crop --- */

/* Whether libjpeg smooths blocks for what a progressive file leaves unsaid: it looks far for it. */
static bool is_smoothed(const struct jpeg_decompress_struct *library)
{
    for (int i = 0; library->progressive_mode && i < library->num_components; i++)
        for (int k = 0; k < DCTSIZE2; k++)
            if (library->coef_bits[i][k] != 0)
                return true;
    return false;
}

/*
 * At the edge of what is decoded libjpeg-turbo (from 1.5 on) has no neighbours for its smoothing of
 * colour. With a block left over at either side that is out of sight, in the usual layouts of
 * colour; others are not tried. Nor are pictures of one pixel a block: these are lossless, or
 * scaled down to that.
 */
static bool can_leave_out(const struct jpeg_decompress_struct *library)
{
    const jpeg_component_info *parts = library->comp_info;

    if (library->min_DCT_scaled_size <= 1 || library->num_components == 4 ||
        parts[0].h_samp_factor > 2 || parts[0].v_samp_factor > 2)
        return false;
    for (int i = 1; i < library->num_components; i++)
        if (parts[i].h_samp_factor != 1 || parts[i].v_samp_factor != 1)
            return false;
    return !is_smoothed(library);
}

/* Narrows rows to the part's columns, and what is around them. */
static void leave_out_columns(jpeg_state *state, const clipc_part *part)
{
    struct jpeg_decompress_struct *library = &state->library;
    const JDIMENSION block =
        (JDIMENSION)(library->max_h_samp_factor * library->min_DCT_scaled_size);
    const JDIMENSION right = part->right + block;
    JDIMENSION width;

    state->left = part->left > block ? part->left - block : 0;
    width = (right < library->output_width ? right : library->output_width) - state->left;
    if (width < library->output_width)
        jpeg_crop_scanline(library, &state->left, &width);
}

/* Goes on to row y; those before it are not wanted, and only the last blocks of them decoded. */
static void pass_over_rows(jpeg_state *state, JDIMENSION y)
{
    struct jpeg_decompress_struct *library = &state->library;
    const JDIMENSION near =
        2 * (JDIMENSION)(library->max_v_samp_factor * library->min_DCT_scaled_size);

    if (can_leave_out(library) && y > library->output_scanline + near)
        jpeg_skip_scanlines(library, y - near - library->output_scanline);
    while (library->output_scanline < y)
        read_rows(state, state->strip, 1);
}

static void take_rows(jpeg_state *state, const clipc_part *part)
{
    const size_t pixel = clipc_mode_bytes(state->mode);
    const size_t stride = state->library.output_width * pixel;

    while (state->library.output_scanline < part->bottom) {
        const JDIMENSION left = part->bottom - state->library.output_scanline;
        const JDIMENSION n = left < STRIP_ROWS ? left : STRIP_ROWS;

        read_rows(state, state->strip, n);
        clipc_resampler_take(state->resampler, state->strip + (part->left - state->left) * pixel,
                             stride, n);
    }
}

/* The smallest scale that leaves twice the wanted pixels: docs/model.md has what that changes. */
static void choose_scale(jpeg_state *state, uint32_t size)
{
    struct jpeg_decompress_struct *library = &state->library;
    const JDIMENSION shorter =
        library->image_width < library->image_height ? library->image_width : library->image_height;

    library->scale_denom = 1;
    while (library->scale_denom < 8 && shorter / (2 * library->scale_denom) / 2 >= size)
        library->scale_denom *= 2;
}

/* May leave through state->escape. */
static clipc_status decode_crop(jpeg_state *state, clipc_image **out, const clipc_encoded_image *in,
                                const clipc_crop_request *request, clipc_error *error)
{
    struct jpeg_decompress_struct *library = &state->library;
    clipc_status status = read_header(state, in, error);
    clipc_resize resize;
    clipc_part part;

    if (status || (request->apply_exif && find_orientation(state) != 1))
        return status;
    if (request->fast_decode)
        choose_scale(state, request->size);
    jpeg_calc_output_dimensions(library);
    status = clipc_crop_plan(library->output_width, library->output_height, request->size, &resize,
                             error);
    if (!status)
        status = clipc_resampler_open(&state->resampler, state->mode, library->output_width,
                                      library->output_height, &resize, error);
    if (status)
        return status;
    part = clipc_resampler_part(state->resampler);
    jpeg_start_decompress(library);
    if (can_leave_out(library))
        leave_out_columns(state, &part);
    state->strip = clipc_calloc(
        library->output_width * clipc_mode_bytes(state->mode) * STRIP_ROWS + CLIPC_ROW_SLACK, 1);
    if (!state->strip)
        return clipc_fail_memory(error, in->source, library->output_width);
    pass_over_rows(state, part.top);
    take_rows(state, &part);
    pass_over_rows(state, library->output_height); /* a file that ends early is none */
    *out = clipc_resampler_finish(state->resampler);
    return CLIPC_OK;
}

static void release(jpeg_state *state)
{
    jpeg_destroy_decompress(&state->library);
    clipc_resampler_close(state->resampler);
    free(state->strip);
}

clipc_status clipc_decode_jpeg(clipc_image **out, const clipc_encoded_image *in, clipc_error *error)
{
    jpeg_state state = {.message = ""};
    clipc_status status;

    if (setjmp(state.escape) == 0)
        status = decode(&state, out, in, error);
    else
        status = clipc_fail_decoding(in, "JPEG", state.message, error);
    release(&state);
    return status;
}

clipc_status clipc_decode_jpeg_crop(clipc_image **out, const clipc_encoded_image *in,
                                    const clipc_crop_request *request, clipc_error *error)
{
    jpeg_state state = {.message = ""};
    clipc_status status;

    if (setjmp(state.escape) == 0)
        status = decode_crop(&state, out, in, request, error);
    else
        status = clipc_fail_decoding(in, "JPEG", state.message, error);
    release(&state);
    return status;
}

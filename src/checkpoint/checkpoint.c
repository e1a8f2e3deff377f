/* SPDX-License-Identifier: MIT */
/* Stored tensors of one or several files -> the sorted list of tensors under OpenAI's names. */
#include "checkpoint/checkpoint.h"

#include "base/file_map.h"
#include "base/memory.h"
#include "base/sizes.h"
#include "base/status.h"
#include "checkpoint/contents.h"
#include "checkpoint/element.h"
#include "checkpoint/files.h"
#include "checkpoint/layouts.h"
#include "checkpoint/packed.h"

#include <stdlib.h>
#include <string.h>

#define MOST_PIECES 3

/* A tensor and the stored tensors that make it, one after another along the first extent. */
typedef struct entry {
    clipc_checkpoint_tensor tensor;
    clipc_stored_tensor pieces[MOST_PIECES];
    unsigned piece_count, pieces_found;
} entry;

struct clipc_checkpoint {
    clipc_checkpoint_files files;
    clipc_contents contents;
    clipc_checkpoint_layout layout;
    entry *entries; /* [count], by name */
    size_t count;
};

/* --- Putting entries together --- */

static void transpose(clipc_stored_tensor *stored)
{
    const uint64_t shape = stored->shape[0], stride = stored->stride[0];

    stored->shape[0] = stored->shape[1];
    stored->stride[0] = stored->stride[1];
    stored->shape[1] = shape;
    stored->stride[1] = stride;
}

static clipc_status add_entry(clipc_checkpoint *checkpoint, const clipc_stored_tensor *stored,
                              clipc_error *error)
{
    const char *source = checkpoint->files.source;
    clipc_mapped_name mapped;
    entry *added = &checkpoint->entries[checkpoint->count];
    char *name;

    if (!clipc_layout_map(checkpoint->layout, clipc_layout_strip(stored->name), &mapped))
        return clipc_fail(error, CLIPC_ERROR_FORMAT,
                          "%s: a tensor's name is longer than any of CLIP's: %.60s...", source,
                          stored->name);
    if (mapped.is_dropped)
        return CLIPC_OK;
    if (mapped.is_transposed && stored->rank != 2)
        return clipc_fail(error, CLIPC_ERROR_FORMAT, "%s: %s has %u extents, 2 were expected",
                          source, stored->name, stored->rank);
    if (mapped.pieces > 1 && stored->rank == 0)
        return clipc_fail(error, CLIPC_ERROR_FORMAT, "%s: %s has no extents", source, stored->name);
    name = clipc_contents_text(&checkpoint->contents, mapped.name, strlen(mapped.name));
    if (!name)
        return clipc_fail_memory(error, source, strlen(mapped.name));
    *added = (entry){.piece_count = mapped.pieces, .pieces_found = 1u << mapped.piece};
    added->pieces[mapped.piece] = *stored;
    if (mapped.is_transposed)
        transpose(&added->pieces[mapped.piece]);
    stored = &added->pieces[mapped.piece];
    added->tensor = (clipc_checkpoint_tensor){
        .name = name,
        .file_name = stored->name,
        .element = stored->element,
        .rank = stored->rank,
        .packed = stored->packed,
    };
    memcpy(added->tensor.shape, stored->shape, sizeof(stored->shape));
    checkpoint->count++;
    return CLIPC_OK;
}

static int by_name(const void *a, const void *b)
{
    const entry *left = a, *right = b;
    const int order = strcmp(left->tensor.name, right->tensor.name);

    return order ? order
                 : (left->pieces_found > right->pieces_found) -
                       (left->pieces_found < right->pieces_found);
}

/* Adds a piece to the entry that has those before it. */
static clipc_status join(const clipc_checkpoint *checkpoint, entry *whole, const entry *part,
                         clipc_error *error)
{
    const clipc_checkpoint_tensor *a = &whole->tensor, *b = &part->tensor;
    const unsigned piece = part->pieces_found >> 1; /* 1, 2, 4 -> 0, 1, 2 */

    if (whole->pieces_found & part->pieces_found)
        return clipc_fail(error, CLIPC_ERROR_FORMAT, "%s: tensor %s is there twice",
                          checkpoint->files.source, b->file_name);
    if (a->element != b->element || a->rank != b->rank ||
        memcmp(a->shape, b->shape, sizeof(b->shape)) != 0)
        return clipc_fail(error, CLIPC_ERROR_FORMAT,
                          "%s: %s and %s differ in type or shape, but belong together",
                          checkpoint->files.source, a->file_name, b->file_name);
    whole->pieces[piece] = part->pieces[piece];
    whole->pieces_found |= part->pieces_found;
    return CLIPC_OK;
}

/* Neighbours of one name become one entry. */
static clipc_status join_pieces(clipc_checkpoint *checkpoint, clipc_error *error)
{
    size_t kept = 0;

    qsort(checkpoint->entries, checkpoint->count, sizeof(entry), by_name);
    for (size_t i = 0; i < checkpoint->count; i++) {
        entry *before = kept ? &checkpoint->entries[kept - 1] : NULL;
        const entry *now = &checkpoint->entries[i];
        clipc_status status;

        if (!before || strcmp(before->tensor.name, now->tensor.name) != 0) {
            checkpoint->entries[kept++] = *now;
            continue;
        }
        status = join(checkpoint, before, now, error);
        if (status)
            return status;
    }
    checkpoint->count = kept;
    for (size_t i = 0; i < kept; i++) {
        entry *e = &checkpoint->entries[i];

        if (e->pieces_found != (1u << e->piece_count) - 1)
            return clipc_fail(error, CLIPC_ERROR_FORMAT,
                              "%s: %s is there, but not the others of q, k and v",
                              checkpoint->files.source, e->tensor.file_name);
        if (__builtin_mul_overflow(e->tensor.shape[0], e->piece_count, &e->tensor.shape[0]) &&
            e->tensor.rank)
            return clipc_fail(error, CLIPC_ERROR_FORMAT, "%s: %s is too large",
                              checkpoint->files.source, e->tensor.file_name);
    }
    return CLIPC_OK;
}

/* A model of n bytes needs no more than n: weights are float32 in memory at most. */
static clipc_status check_total(const clipc_checkpoint *checkpoint, uint64_t limit,
                                clipc_error *error)
{
    uint64_t total = 0;

    for (size_t i = 0; i < checkpoint->count; i++) {
        const clipc_checkpoint_tensor *tensor = &checkpoint->entries[i].tensor;
        size_t count;

        if (!clipc_product_size(tensor->shape, tensor->rank, &count) ||
            !clipc_mul_size(count, sizeof(float), &count) ||
            __builtin_add_overflow(total, count, &total) || total > limit)
            return clipc_fail(error, CLIPC_ERROR_LIMIT,
                              "%s: its tensors take more than the limit of %llu bytes",
                              checkpoint->files.source, (unsigned long long)limit);
    }
    return CLIPC_OK;
}

static clipc_status finish(clipc_checkpoint *checkpoint, const clipc_checkpoint_options *options,
                           clipc_error *error)
{
    const clipc_contents *contents = &checkpoint->contents;
    clipc_status status = CLIPC_OK;

    checkpoint->layout = CLIPC_CHECKPOINT_OPENAI;
    for (size_t i = 0; !contents->packed && i < contents->count; i++)
        if (clipc_layout_detect(clipc_layout_strip(contents->tensors[i].name), &checkpoint->layout))
            break;
    if (contents->count == 0)
        return clipc_fail(error, CLIPC_ERROR_FORMAT, "%s: holds no tensors",
                          checkpoint->files.source);
    checkpoint->entries = clipc_calloc(contents->count, sizeof(entry));
    if (!checkpoint->entries)
        return clipc_fail_memory(error, checkpoint->files.source, contents->count * sizeof(entry));
    for (size_t i = 0; !status && i < contents->count; i++)
        status = add_entry(checkpoint, &contents->tensors[i], error);
    if (!status)
        status = join_pieces(checkpoint, error);
    return status ? status : check_total(checkpoint, options->max_weight_bytes, error);
}

/* --- Opening and closing --- */

static clipc_status open_with(clipc_checkpoint **out, const char *path, const uint8_t *bytes,
                              size_t size, const clipc_checkpoint_options *options,
                              clipc_error *error)
{
    clipc_checkpoint *checkpoint = clipc_calloc(1, sizeof(*checkpoint));
    clipc_status status;

    *out = NULL;
    if (!checkpoint)
        return clipc_fail_memory(error, path, sizeof(*checkpoint));
    status =
        bytes ? clipc_checkpoint_files_borrow(&checkpoint->files, &checkpoint->contents, path,
                                              bytes, size, error)
              : clipc_checkpoint_files_open(&checkpoint->files, &checkpoint->contents, path, error);
    if (!status)
        status = finish(checkpoint, options, error);
    if (status) {
        clipc_checkpoint_close(checkpoint);
        return status;
    }
    *out = checkpoint;
    return CLIPC_OK;
}

clipc_status clipc_checkpoint_open(clipc_checkpoint **out, const char *path,
                                   const clipc_checkpoint_options *options, clipc_error *error)
{
    return open_with(out, path, NULL, 0, options, error);
}

clipc_status clipc_checkpoint_open_memory(clipc_checkpoint **out, const uint8_t *bytes, size_t size,
                                          const char *source,
                                          const clipc_checkpoint_options *options,
                                          clipc_error *error)
{
    return open_with(out, source, bytes, size, options, error);
}

void clipc_checkpoint_close(clipc_checkpoint *checkpoint)
{
    if (!checkpoint)
        return;
    clipc_checkpoint_files_close(&checkpoint->files);
    clipc_arena_free(&checkpoint->contents.arena);
    free(checkpoint->contents.tensors);
    free(checkpoint->entries);
    free(checkpoint);
}

/* --- Looking inside --- */

const char *clipc_checkpoint_source(const clipc_checkpoint *checkpoint)
{
    return checkpoint->files.source;
}

const char *clipc_checkpoint_config(const clipc_checkpoint *checkpoint)
{
    return checkpoint->contents.config;
}

const char *clipc_checkpoint_format(const clipc_checkpoint *checkpoint)
{
    return checkpoint->contents.format;
}

const clipc_packed_header *clipc_checkpoint_packed(const clipc_checkpoint *checkpoint)
{
    return checkpoint->contents.packed;
}

clipc_checkpoint_layout clipc_checkpoint_get_layout(const clipc_checkpoint *checkpoint)
{
    return checkpoint->layout;
}

size_t clipc_checkpoint_count(const clipc_checkpoint *checkpoint)
{
    return checkpoint->count;
}

const clipc_checkpoint_tensor *clipc_checkpoint_at(const clipc_checkpoint *checkpoint, size_t index)
{
    return &checkpoint->entries[index].tensor;
}

static int compare_to_name(const void *key, const void *element)
{
    return strcmp(key, ((const entry *)element)->tensor.name);
}

const clipc_checkpoint_tensor *clipc_checkpoint_find(const clipc_checkpoint *checkpoint,
                                                     const char *name)
{
    const entry *found =
        bsearch(name, checkpoint->entries, checkpoint->count, sizeof(entry), compare_to_name);

    return found ? &found->tensor : NULL;
}

/* --- Reading --- */

/* The elements of one place along the extents before `axis`; returns where out continues. */
static float *read_block(const clipc_stored_tensor *stored, uint32_t axis, uint64_t offset,
                         float *out)
{
    const size_t size = clipc_element_size(stored->element);

    if (axis == stored->rank) {
        clipc_element_convert(stored->element, stored->data + offset * size, 1, 1, out);
        return out + 1;
    }
    if (axis + 1 == stored->rank) {
        clipc_element_convert(stored->element, stored->data + offset * size,
                              (size_t)stored->stride[axis], (size_t)stored->shape[axis], out);
        return out + stored->shape[axis];
    }
    for (uint64_t i = 0; i < stored->shape[axis]; i++)
        out = read_block(stored, axis + 1, offset + i * stored->stride[axis], out);
    return out;
}

/* Extents below the first that lie densely, row by row: one long run a row. */
static bool is_dense_below(const clipc_stored_tensor *stored, uint64_t *width)
{
    *width = 1;
    for (uint32_t i = stored->rank; i > 1; i--) {
        if (stored->stride[i - 1] != *width)
            return false;
        *width *= stored->shape[i - 1];
    }
    return true;
}

void clipc_checkpoint_read(const clipc_checkpoint *checkpoint,
                           const clipc_checkpoint_tensor *tensor, uint64_t first, uint64_t rows,
                           float *out)
{
    const entry *e = (const entry *)(const void *)tensor; /* its first member */
    const uint64_t rows_a_piece = tensor->rank ? tensor->shape[0] / e->piece_count : 1;

    (void)checkpoint;
    for (uint32_t i = 1; i < tensor->rank; i++)
        if (tensor->shape[i] == 0)
            return; /* no elements, and strides that nobody has checked */
    for (uint64_t row = first; row < first + rows; row++) {
        const clipc_stored_tensor *stored = &e->pieces[row / rows_a_piece];
        const uint64_t offset = tensor->rank ? row % rows_a_piece * stored->stride[0] : 0;
        uint64_t width;

        if (is_dense_below(stored, &width)) {
            clipc_element_convert(stored->element,
                                  stored->data + offset * clipc_element_size(stored->element), 1,
                                  (size_t)width, out);
            out += width;
        } else {
            out = read_block(stored, 1, offset, out);
        }
    }
}

const float *clipc_checkpoint_view(const clipc_checkpoint *checkpoint,
                                   const clipc_checkpoint_tensor *tensor, uint64_t first,
                                   uint64_t rows)
{
    const entry *e = (const entry *)(const void *)tensor; /* its first member */
    const uint64_t rows_a_piece = tensor->rank ? tensor->shape[0] / e->piece_count : 1;
    const clipc_stored_tensor *stored;
    const uint8_t *data;
    uint64_t width;

    (void)checkpoint;
    if (rows == 0 || first / rows_a_piece != (first + rows - 1) / rows_a_piece)
        return NULL;
    stored = &e->pieces[first / rows_a_piece];
    if (stored->element != CLIPC_ELEMENT_F32 || !is_dense_below(stored, &width) ||
        (stored->rank && stored->shape[0] > 1 && stored->stride[0] != width))
        return NULL;
    data = stored->data + first % rows_a_piece * width * sizeof(float);
    if ((uintptr_t)data % _Alignof(float) != 0 || __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__)
        return NULL;
    return (const float *)(const void *)data;
}

void clipc_checkpoint_release(const clipc_checkpoint *checkpoint,
                              const clipc_checkpoint_tensor *tensor)
{
    const entry *e = (const entry *)(const void *)tensor;

    if (tensor->packed) {
        clipc_checkpoint_files_release(&checkpoint->files, tensor->packed->data,
                                       tensor->packed->bytes);
        return;
    }
    for (unsigned i = 0; i < e->piece_count; i++) {
        const clipc_stored_tensor *stored = &e->pieces[i];
        uint64_t elements = 1;

        for (uint32_t axis = 0; axis < stored->rank; axis++)
            elements *= stored->shape[axis];
        clipc_checkpoint_files_release(&checkpoint->files, stored->data,
                                       (size_t)elements * clipc_element_size(stored->element));
    }
}

/* SPDX-License-Identifier: MIT */
/*
 * Weights from one kernel's panels to another's. Everything goes by the numbers that describe
 * panels, so that files can be packed for a processor that is not this one.
 */
#include "compute/repack.h"

#include <stdint.h>
#include <string.h>

size_t clipc_panel_group(const clipc_matrix_kernel *kernel)
{
    return kernel->depth_group ? kernel->depth_group : kernel->depth_step;
}

bool clipc_same_panels(const clipc_matrix_kernel *a, const clipc_matrix_kernel *b)
{
    return a->dtype == b->dtype && a->panel_columns == b->panel_columns &&
           a->panel_header == b->panel_header && a->depth_step == b->depth_step &&
           clipc_panel_group(a) == clipc_panel_group(b) && a->has_column_sums == b->has_column_sums;
}

/* One column of a matrix: its panel, and where it stands in the panel's header and elements. */
typedef struct column {
    char *panel;
    size_t index; /* within the panel */
    char *elements;
} column;

static column column_at(const clipc_matrix_kernel *kernel, char *packed,
                        const clipc_packed_shape *shape, size_t point, size_t out)
{
    const size_t index = out % kernel->panel_columns;
    char *panel = packed + (out / kernel->panel_columns * shape->points + point) *
                               clipc_panel_bytes(kernel, shape->in);
    const size_t element = kernel->depth_bytes / kernel->panel_columns;

    return (column){panel, index,
                    panel + kernel->panel_header + index * clipc_panel_group(kernel) * element};
}

/* `size` is a constant where it is inlined, so that an element is a load and a store. */
static inline __attribute__((always_inline)) void
move_elements(const clipc_matrix_kernel *from, const char *source, const clipc_matrix_kernel *to,
              char *out, size_t count, const size_t size)
{
    const size_t from_group = clipc_panel_group(from), to_group = clipc_panel_group(to);
    const size_t from_stride = from->depth_bytes * from_group;
    const size_t to_stride = to->depth_bytes * to_group;
    size_t from_step = 0, to_step = 0;

    for (size_t k = 0; k < count; k++) {
        memcpy(out + to_step * size, source + from_step * size, size);
        if (++from_step == from_group) {
            from_step = 0;
            source += from_stride;
        }
        if (++to_step == to_group) {
            to_step = 0;
            out += to_stride;
        }
    }
}

static int32_t column_sum(const clipc_matrix_kernel *kernel, const char *elements, size_t count)
{
    const size_t group = clipc_panel_group(kernel), stride = kernel->depth_bytes * group;
    int32_t sum = 0;

    for (size_t k = 0; k < count; k++)
        sum += (int8_t)elements[k / group * stride + k % group];
    return sum;
}

static void move_scale(const column *source, const clipc_matrix_kernel *to, const column *out,
                       size_t count)
{
    float *scales = (float *)(void *)out->panel;

    scales[out->index] = ((const float *)(const void *)source->panel)[source->index];
    if (to->has_column_sums)
        ((int32_t *)(void *)scales)[to->panel_columns + out->index] =
            column_sum(to, out->elements, count);
}

static void move_column(const clipc_matrix_kernel *from, const column *source,
                        const clipc_matrix_kernel *to, const column *out, size_t count)
{
    const size_t size = to->depth_bytes / to->panel_columns;

    if (size == sizeof(float))
        move_elements(from, source->elements, to, out->elements, count, sizeof(float));
    else if (size == sizeof(uint16_t))
        move_elements(from, source->elements, to, out->elements, count, sizeof(uint16_t));
    else
        move_elements(from, source->elements, to, out->elements, count, sizeof(int8_t));
    if (to->dtype == CLIPC_DTYPE_INT8)
        move_scale(source, to, out, count);
}

void clipc_repack(const clipc_parameter *parameter, const clipc_matrix_kernel *to, void *repacked)
{
    const clipc_matrix_kernel *from = parameter->kernel;
    const clipc_packed_shape shape = clipc_packed_shape_of(parameter);
    const size_t panels = (shape.out + to->panel_columns - 1) / to->panel_columns * shape.points;

    memset(repacked, 0, panels * clipc_panel_bytes(to, shape.in));
    for (size_t out = 0; out < shape.out; out++)
        for (size_t point = 0; point < shape.points; point++) {
            const column source = column_at(from, parameter->data, &shape, point, out);
            const column place = column_at(to, repacked, &shape, point, out);

            move_column(from, &source, to, &place, shape.in);
        }
}

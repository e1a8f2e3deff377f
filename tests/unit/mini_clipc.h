/* SPDX-License-Identifier: MIT */
/* What the tests of .clipc files share: converting, and the smallest model as such a file. */
#ifndef CLIPC_TESTS_MINI_CLIPC_H
#define CLIPC_TESTS_MINI_CLIPC_H

#include "mini_model.h"

#include "clipc_file.h"
#include "temporary_folder.h"

#include <clipc.h>

static const clipc_dtype dtypes[] = {CLIPC_DTYPE_F32, CLIPC_DTYPE_BF16, CLIPC_DTYPE_INT8};

static inline const char *in_folder(const char *name)
{
    static char paths[4][256];
    static unsigned next;
    char *path = paths[next++ % 4];

    snprintf(path, sizeof(paths[0]), "%s/%s", folder, name);
    return path;
}

static inline clipc_status convert(const char *in, const char *out, clipc_dtype dtype,
                                   const char *cpu, clipc_error *error)
{
    clipc_convert_options options;

    clipc_convert_options_init(&options);
    options.keep_dtype = dtype == CLIPC_DTYPE_AUTO;
    options.dtype = dtype;
    options.cpu = cpu;
    return clipc_convert(in, out, &options, error);
}

static inline void convert_well(const char *in, const char *out, clipc_dtype dtype, const char *cpu)
{
    clipc_error error;

    if (convert(in, out, dtype, cpu, &error))
        fail_msg("%s", error.message);
}

static inline clipc_file read_file(const char *path)
{
    clipc_file file;
    clipc_error error;
    char *bytes;

    if (clipc_file_read(path, (size_t)1 << 24, &bytes, &file.size, &error))
        fail_msg("%s", error.message);
    file.bytes = (uint8_t *)bytes;
    return file;
}

static inline void write_file(const char *path, const uint8_t *bytes, size_t size)
{
    FILE *out = fopen(path, "wb");

    assert_non_null(out);
    assert_int_equal(fwrite(bytes, 1, size, out), size);
    assert_int_equal(fclose(out), 0);
}

/* The smallest model, packed for plain C, whatever runs here. */
static inline clipc_file make_mini(clipc_dtype dtype)
{
    clipc_error error;

    if (mini_write(in_folder("mini.safetensors"), CLIPC_ELEMENT_F16, NULL, &error))
        fail_msg("%s", error.message);
    convert_well(in_folder("mini.safetensors"), in_folder("mini.clipc"), dtype, "portable");
    return read_file(in_folder("mini.clipc"));
}

#endif

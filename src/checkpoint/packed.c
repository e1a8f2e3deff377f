/* SPDX-License-Identifier: MIT */
/*
 * .clipc -> tensors. Everything that the header says is checked here against the file and against
 * itself; the data are not looked at.
 */
#include "checkpoint/packed.h"

#include "base/byte_reader.h"
#include "base/json.h"
#include "base/memory.h"
#include "base/sizes.h"
#include "base/status.h"
#include "checkpoint/contents.h"

#include <math.h>
#include <string.h>
#include <zlib.h>

/* CLIP's largest has 250 kB; JSON takes forty times its size in memory. */
#define LARGEST_HEADER ((uint64_t)4 << 20)
#define LARGEST_EXACT 9007199254740992.0 /* 2^53: JSON numbers are doubles */

static const char *const form_names[] = {
    [CLIPC_PACKED_F32] = "f32",       [CLIPC_PACKED_F16] = "f16",
    [CLIPC_PACKED_PANELS] = "panels", [CLIPC_PACKED_WINOGRAD] = "winograd",
    [CLIPC_PACKED_FOLDED] = "folded", [CLIPC_PACKED_INLINE] = "inline",
};

static const struct {
    const char *name;
    clipc_dtype dtype;
} dtype_names[] = {
    {"f32", CLIPC_DTYPE_F32}, {"bf16", CLIPC_DTYPE_BF16}, {"int8", CLIPC_DTYPE_INT8}};
#define DTYPE_COUNT (sizeof(dtype_names) / sizeof(dtype_names[0]))

const char *clipc_packed_dtype_name(clipc_dtype dtype)
{
    for (size_t i = 0; i < DTYPE_COUNT; i++)
        if (dtype_names[i].dtype == dtype)
            return dtype_names[i].name;
    return "";
}

const char *clipc_packed_form_name(clipc_packed_form form)
{
    return form_names[form];
}

bool clipc_packed_is_whole(const clipc_packed_tensor *tensor)
{
    return !tensor->data || crc32_z(0, tensor->data, tensor->bytes) == tensor->crc32;
}

typedef struct reader {
    clipc_contents *contents;
    clipc_packed_header *header;
    const uint8_t *data; /* what offsets count from */
    size_t data_size;
    size_t end; /* of the data of the tensors so far */
    const char *source;
    clipc_error *error;
} reader;

/* --- Members of the header --- */

static const cJSON *member(const cJSON *object, const char *name)
{
    return cJSON_GetObjectItemCaseSensitive(object, name);
}

static clipc_status refuse(const reader *in, const char *what, const char *expected)
{
    return clipc_fail(in->error, CLIPC_ERROR_FORMAT, "%s: its header's %s: %s was expected",
                      in->source, what, expected);
}

static bool read_size(const cJSON *item, size_t most, size_t *out)
{
    if (!cJSON_IsNumber(item) || !(item->valuedouble >= 0.0) || item->valuedouble > LARGEST_EXACT)
        return false;
    *out = (size_t)item->valuedouble;
    return (double)*out == item->valuedouble && *out <= most;
}

/* A text of the header into the arena. */
static clipc_status take_text(const reader *in, const cJSON *object, const char *name,
                              const char **out)
{
    const char *text = cJSON_GetStringValue(member(object, name));

    if (!text)
        return refuse(in, name, "a text");
    *out = clipc_contents_text(in->contents, text, strlen(text));
    return *out ? CLIPC_OK : clipc_fail_memory(in->error, in->source, strlen(text));
}

static bool read_dtype(const cJSON *object, clipc_dtype *out)
{
    const char *name = cJSON_GetStringValue(member(object, "dtype"));

    for (size_t i = 0; name && i < DTYPE_COUNT; i++)
        if (strcmp(name, dtype_names[i].name) == 0) {
            *out = dtype_names[i].dtype;
            return true;
        }
    return false;
}

static clipc_status take_layout(const reader *in, const cJSON *panels, size_t index)
{
    const cJSON *object = member(panels, dtype_names[index].name);
    const cJSON *sums = member(object, "column_sums");
    clipc_panel_layout *layout = &in->header->panels[dtype_names[index].dtype];
    size_t needed = 0;

    if (!object)
        return CLIPC_OK;
    if (!read_size(member(object, "columns"), CLIPC_PACKED_MOST_COLUMNS, &layout->columns) ||
        !read_size(member(object, "depth_step"), CLIPC_PACKED_MOST_STEP, &layout->depth_step) ||
        !read_size(member(object, "depth_group"), CLIPC_PACKED_MOST_STEP, &layout->depth_group) ||
        !read_size(member(object, "header"), CLIPC_PACKED_MOST_HEADER, &layout->header) ||
        !cJSON_IsBool(sums) || layout->columns == 0 || layout->depth_step == 0 ||
        layout->depth_group == 0 || layout->depth_step % layout->depth_group != 0)
        return refuse(in, "panels", "columns, depth_step, depth_group, header and column_sums");
    layout->has_column_sums = cJSON_IsTrue(sums);
    if (dtype_names[index].dtype == CLIPC_DTYPE_INT8)
        needed = layout->columns * (layout->has_column_sums ? 2 : 1) * sizeof(float);
    if (layout->header < needed || layout->header % sizeof(float) != 0)
        return refuse(in, "panels", "a header with room for scales and sums");
    return CLIPC_OK;
}

static clipc_status take_panels(const reader *in, const cJSON *root)
{
    clipc_status status = CLIPC_OK;

    if (!read_dtype(root, &in->header->dtype))
        return refuse(in, "dtype", "\"f32\", \"bf16\" or \"int8\"");
    for (size_t i = 0; !status && i < DTYPE_COUNT; i++)
        status = take_layout(in, member(root, "panels"), i);
    return status;
}

static clipc_status take_tokenizer(const reader *in, const cJSON *root)
{
    const cJSON *tokenizer = member(root, "tokenizer");
    clipc_packed_header *header = in->header;
    clipc_status status = take_text(in, tokenizer, "name", &header->tokenizer);

    if (!status)
        status = take_text(in, tokenizer, "merges_sha256", &header->merges_sha256);
    if (!status &&
        (!read_size(member(tokenizer, "vocab_size"), SIZE_MAX, &header->vocab_size) ||
         !read_size(member(tokenizer, "context_length"), SIZE_MAX, &header->context_length)))
        status = refuse(in, "tokenizer", "vocab_size and context_length");
    return status;
}

/* The configuration, back as text for those who read configurations. */
static clipc_status take_config(const reader *in, const cJSON *root)
{
    const cJSON *config = member(root, "config");
    char *text;

    if (!cJSON_IsObject(config))
        return refuse(in, "config", "an object");
    text = cJSON_PrintUnformatted(config);
    if (text)
        in->contents->config = clipc_contents_text(in->contents, text, strlen(text));
    cJSON_free(text);
    in->header->config = in->contents->config;
    return in->header->config ? CLIPC_OK : clipc_fail_memory(in->error, in->source, 0);
}

/* --- Tensors --- */

static clipc_status refuse_tensor(const reader *in, const char *name, const char *what)
{
    return clipc_fail(in->error, CLIPC_ERROR_FORMAT, "%s: tensor %.80s: %s", in->source,
                      name ? name : "without a name", what);
}

static bool read_shape(const cJSON *list, clipc_stored_tensor *tensor)
{
    const cJSON *item;
    size_t extent;

    if (!cJSON_IsArray(list))
        return false;
    cJSON_ArrayForEach(item, list)
    {
        if (tensor->rank == CLIPC_TENSOR_MAX_RANK || !read_size(item, SIZE_MAX, &extent))
            return false;
        tensor->shape[tensor->rank++] = extent;
    }
    return true;
}

/* A form that this version does not know may be one of a later: that is said by its name. */
static clipc_status read_form(const reader *in, const char *name, const cJSON *item,
                              clipc_packed_form *out)
{
    const char *form = cJSON_GetStringValue(member(item, "form"));

    for (size_t i = 0; form && i < sizeof(form_names) / sizeof(form_names[0]); i++)
        if (strcmp(form, form_names[i]) == 0) {
            *out = (clipc_packed_form)i;
            return CLIPC_OK;
        }
    if (!form)
        return refuse_tensor(in, name, "its form is missing");
    return clipc_fail(in->error, CLIPC_ERROR_UNSUPPORTED,
                      "%s: tensor %.80s: its form \"%.40s\" is none that this version of clipc has",
                      in->source, name, form);
}

/* Each tensor's data lie behind those of the one before it, so that no two overlap. */
static clipc_status read_place(reader *in, const char *name, const cJSON *item,
                               clipc_packed_tensor *packed)
{
    size_t offset, crc;

    if (!read_size(member(item, "offset"), SIZE_MAX, &offset) ||
        !read_size(member(item, "bytes"), SIZE_MAX, &packed->bytes) ||
        !read_size(member(item, "crc32"), UINT32_MAX, &crc) || packed->bytes == 0)
        return refuse_tensor(in, name, "its offset, bytes or crc32 is missing");
    if (offset % CLIPC_PACKED_ALIGNMENT != 0)
        return refuse_tensor(in, name, "its offset is no multiple of 64");
    if (offset < in->end)
        return refuse_tensor(in, name, "its data overlap those before it");
    if (offset > in->data_size || packed->bytes > in->data_size - offset)
        return refuse_tensor(in, name, "its data lie outside the file");
    packed->data = in->data + offset;
    packed->crc32 = (uint32_t)crc;
    in->end = offset + packed->bytes;
    return CLIPC_OK;
}

/* Elements that can be read one by one: as such. */
static clipc_status view_elements(const reader *in, const clipc_packed_tensor *packed,
                                  clipc_stored_tensor *tensor)
{
    uint64_t stride = 1;
    size_t bytes;

    tensor->element = packed->form == CLIPC_PACKED_F16 ? CLIPC_ELEMENT_F16 : CLIPC_ELEMENT_F32;
    if (!clipc_product_size(tensor->shape, tensor->rank, &bytes) ||
        !clipc_mul_size(bytes, clipc_element_size(tensor->element), &bytes) ||
        bytes != packed->bytes)
        return refuse_tensor(in, tensor->name, "its shape does not fill its bytes");
    for (uint32_t i = tensor->rank; i > 0; i--) {
        tensor->stride[i - 1] = stride;
        stride *= tensor->shape[i - 1];
    }
    tensor->data = packed->data;
    return CLIPC_OK;
}

static clipc_status view_scalar(const reader *in, const cJSON *item, clipc_stored_tensor *tensor)
{
    const cJSON *value = member(item, "value");
    float *copy = clipc_arena_alloc(&in->contents->arena, sizeof(*copy));

    if (!cJSON_IsNumber(value) || !isfinite((float)value->valuedouble) || tensor->rank != 0)
        return refuse_tensor(in, tensor->name, "a scalar with its value was expected");
    if (!copy)
        return clipc_fail_memory(in->error, in->source, sizeof(*copy));
    *copy = (float)value->valuedouble;
    tensor->data = (const uint8_t *)copy;
    return CLIPC_OK;
}

static clipc_status read_values(reader *in, const cJSON *item, clipc_packed_tensor *packed,
                                clipc_stored_tensor *tensor)
{
    static const uint8_t zero[sizeof(float)]; /* with strides of 0, of any shape */
    clipc_status status;

    tensor->element = CLIPC_ELEMENT_F32;
    tensor->data = zero;
    if (packed->form == CLIPC_PACKED_FOLDED)
        return CLIPC_OK;
    if (packed->form == CLIPC_PACKED_INLINE)
        return view_scalar(in, item, tensor);
    status = read_place(in, tensor->name, item, packed);
    if (status)
        return status;
    if (packed->form == CLIPC_PACKED_F32 || packed->form == CLIPC_PACKED_F16)
        return view_elements(in, packed, tensor);
    if (!read_dtype(item, &packed->dtype) || in->header->panels[packed->dtype].columns == 0)
        return refuse_tensor(in, tensor->name, "its dtype is none that the header has panels of");
    return CLIPC_OK;
}

static clipc_status take_tensor(reader *in, const cJSON *item)
{
    clipc_packed_tensor *packed = clipc_arena_alloc(&in->contents->arena, sizeof(*packed));
    clipc_stored_tensor tensor = {.packed = packed};
    clipc_status status;

    if (!packed)
        return clipc_fail_memory(in->error, in->source, sizeof(*packed));
    if (!cJSON_GetStringValue(member(item, "name")) || !cJSON_GetStringValue(member(item, "role")))
        return refuse(in, "tensors", "a name and a role for each");
    status = take_text(in, item, "name", &tensor.name);
    if (!status)
        status = take_text(in, item, "role", &packed->role);
    if (!status && !read_shape(member(item, "shape"), &tensor))
        status = refuse_tensor(in, tensor.name, "its shape is no list of up to 8 extents");
    if (!status)
        status = read_form(in, tensor.name, item, &packed->form);
    if (!status)
        status = read_values(in, item, packed, &tensor);
    return status ? status : clipc_contents_add(in->contents, &tensor, in->source, in->error);
}

static clipc_status take_tensors(reader *in, const cJSON *root)
{
    const cJSON *tensors = member(root, "tensors"), *item;
    clipc_status status = CLIPC_OK;

    if (!cJSON_IsArray(tensors))
        return refuse(in, "tensors", "a list");
    for (item = tensors->child; !status && item; item = item->next)
        status = take_tensor(in, item);
    if (!status && in->end != in->data_size)
        status = clipc_fail(in->error, CLIPC_ERROR_FORMAT,
                            "%s: its tensors take %zu bytes, but %zu follow its header", in->source,
                            in->end, in->data_size);
    return status;
}

/* --- The whole --- */

static clipc_status read_header(reader *in, const cJSON *root)
{
    clipc_status status = take_panels(in, root);

    if (!status)
        status = take_text(in, root, "cpu", &in->header->cpu);
    if (!status)
        status = take_tokenizer(in, root);
    if (!status)
        status = take_config(in, root);
    return status ? status : take_tensors(in, root);
}

/* What stands before the header: *size bytes of it, which are there and have their checksum. */
static clipc_status check_prefix(const uint8_t *bytes, size_t size, size_t *header_size,
                                 const char *source, clipc_error *error)
{
    clipc_byte_reader in = clipc_byte_reader_over(bytes, size);
    uint32_t version, crc;
    uint64_t length;

    clipc_read_bytes(&in, sizeof(CLIPC_PACKED_MAGIC) - 1);
    version = clipc_read_u32(&in);
    crc = clipc_read_u32(&in);
    length = clipc_read_u64(&in);
    if (!in.failed && version != CLIPC_PACKED_VERSION)
        return clipc_fail(error, CLIPC_ERROR_UNSUPPORTED,
                          "%s: is of version %u of the format, %d was expected", source,
                          (unsigned)version, CLIPC_PACKED_VERSION);
    if (length > LARGEST_HEADER)
        return clipc_fail(error, CLIPC_ERROR_LIMIT,
                          "%s: its header has %llu bytes, at most %llu are read", source,
                          (unsigned long long)length, (unsigned long long)LARGEST_HEADER);
    *header_size = (size_t)length;
    if (!clipc_read_bytes(&in, *header_size))
        return clipc_fail(error, CLIPC_ERROR_FORMAT, "%s: ends in its header", source);
    if (crc32_z(0, bytes + CLIPC_PACKED_PREFIX, *header_size) != crc)
        return clipc_fail(error, CLIPC_ERROR_CHECKSUM, "%s: its header is damaged", source);
    return CLIPC_OK;
}

clipc_status clipc_read_packed(clipc_contents *contents, const uint8_t *bytes, size_t size,
                               const char *source, clipc_error *error)
{
    reader in = {.contents = contents, .source = source, .error = error};
    size_t header_size = 0, start;
    cJSON *root;
    clipc_status status = check_prefix(bytes, size, &header_size, source, error);

    if (status)
        return status;
    if (contents->format)
        return clipc_fail(error, CLIPC_ERROR_FORMAT, "%s: is a whole model, a shard was expected",
                          source);
    start = clipc_round_up(CLIPC_PACKED_PREFIX + header_size, CLIPC_PACKED_PAGE);
    if (start > size)
        return clipc_fail(error, CLIPC_ERROR_FORMAT, "%s: ends before its data", source);
    in.data = bytes + start;
    in.data_size = size - start;
    in.header = clipc_arena_alloc(&contents->arena, sizeof(*in.header));
    if (!in.header)
        return clipc_fail_memory(error, source, sizeof(*in.header));
    status = clipc_json_parse(&root, bytes + CLIPC_PACKED_PREFIX, header_size, source, "its header",
                              error);
    if (status)
        return status;
    contents->format = "clipc";
    contents->packed = in.header;
    status = read_header(&in, root);
    cJSON_Delete(root);
    return status;
}

/* SPDX-License-Identifier: MIT */
/*
 * clipc.h - CLIP (Contrastive Language-Image Pre-training) as a C library.
 *
 * A complete program:
 *
 *     #include <clipc.h>
 *     #include <stdio.h>
 *
 *     int main(void)
 *     {
 *         static const char *const labels[] = {"a red apple", "a sailing boat"};
 *         const char *path = "boat.png";
 *         clipc_model *model = NULL;
 *         clipc_session *session = NULL;
 *         clipc_error error;
 *         float image[CLIPC_MAX_EMBED_DIM], text[2 * CLIPC_MAX_EMBED_DIM], logits[2];
 *
 *         if (clipc_model_open(&model, "tiny", NULL, &error) ||
 *             clipc_session_open(&session, model, NULL, &error) ||
 *             clipc_encode_image_files(session, &path, 1, NULL, image, NULL, &error) ||
 *             clipc_encode_texts(session, labels, 2, 0, text, &error) ||
 *             clipc_logits(model, image, 1, text, 2, logits, &error))
 *             fprintf(stderr, "%s\n", error.message);
 *         else
 *             puts(labels[logits[1] > logits[0]]);
 *         clipc_session_close(session);
 *         clipc_model_close(model);
 *         return 0;
 *     }
 *
 * Rules that hold for every function:
 * - Arrays are row-major and contiguous; [n][d] means n rows of d values. Floats are IEEE float32,
 *   token ids int32. Nothing is normalised unless a comment says so.
 * - The caller owns every buffer it passes in; the library owns every clipc_* object until
 *   its clipc_<type>_close() is called, which accepts NULL.
 * - A function that can fail returns a clipc_status, CLIPC_OK (0) on success. On failure outputs
 *   are untouched unless the comment says otherwise, object pointers are set to NULL, and `error`,
 *   the last argument (it may be NULL), says what was wrong as "SOURCE: what, what was expected".
 * - The library never prints, exits, aborts, installs signal handlers or keeps global state.
 * - Paths and texts are bytes; texts must be UTF-8.
 * - A model is immutable after opening and may be shared by any number of threads. A session is
 *   scratch memory and belongs to one thread at a time. Other functions are thread-safe.
 * - Structs of options open with their size and are filled by their clipc_*_options_init(); NULL
 *   means the defaults. Fields are only ever appended.
 */
#ifndef CLIPC_H
#define CLIPC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define CLIPC_VERSION_MAJOR 0
#define CLIPC_VERSION_MINOR 1
#define CLIPC_VERSION_PATCH 0
#define CLIPC_VERSION_STRING "0.1.0"

#if defined(_WIN32)
#define CLIPC_API
#else
#define CLIPC_API __attribute__((visibility("default")))
#endif

/* ------------------------------------------------------------------------------------------- */
/* Status and errors */

/* Append-only: a number once given keeps its meaning. */
typedef enum clipc_status {
    CLIPC_OK = 0,
    CLIPC_ERROR_ARGUMENT = 1,    /* the caller's mistake: a NULL, a size, a flag */
    CLIPC_ERROR_MEMORY = 2,      /* an allocation failed */
    CLIPC_ERROR_IO = 3,          /* a file could not be opened, read or written */
    CLIPC_ERROR_FORMAT = 4,      /* bytes are not what their format demands */
    CLIPC_ERROR_UNSUPPORTED = 5, /* well-formed, but this build does not handle it */
    CLIPC_ERROR_LIMIT = 6,       /* larger than a limit in the options */
    CLIPC_ERROR_NOT_FOUND = 7,   /* no such name: model, template set, tensor */
    CLIPC_ERROR_ENCODING = 8,    /* text is not UTF-8; the message gives the byte offset */
    CLIPC_ERROR_TOO_LONG = 9,    /* text has more tokens than the context length */
    CLIPC_ERROR_NETWORK = 10,    /* a transfer failed */
    CLIPC_ERROR_CHECKSUM = 11,   /* bytes arrived, but not the expected ones */
    CLIPC_ERROR_CANCELLED = 12,  /* a callback asked to stop */
} clipc_status;

typedef struct clipc_error {
    clipc_status code;
    char message[256]; /* one line, NUL-terminated, cut at a character's end when too long */
} clipc_error;

/* A short English name of a status, such as "format error"; never NULL. */
CLIPC_API const char *clipc_status_name(clipc_status status);

typedef enum clipc_log_level {
    CLIPC_LOG_INFO = 0,
    CLIPC_LOG_WARNING = 1,
} clipc_log_level;

/* The library's only voice. `message` is one line, valid during the call. */
typedef void (*clipc_log_fn)(void *data, clipc_log_level level, const char *message);

/* ------------------------------------------------------------------------------------------- */
/* Version and build */

typedef struct clipc_build_info {
    const char *version; /* "0.1.0" */
    const char *cpu; /* kernel level in use: "portable", ... (CLIPC_CPU can force a lower one) */
    const char *compiler; /* name and version */
    const char
        *features; /* space-separated: what was built in, e.g. "jpeg png webp gif tiff curl" */
    const char *libraries; /* "; "-separated: name and version of each linked library */
} clipc_build_info;

/* Static strings; always succeeds. */
CLIPC_API void clipc_get_build_info(clipc_build_info *out);

/* ------------------------------------------------------------------------------------------- */
/* Models */

typedef struct clipc_model clipc_model;

typedef enum clipc_activation {
    CLIPC_ACTIVATION_AUTO = 0,      /* what the checkpoint's config or layout says */
    CLIPC_ACTIVATION_QUICKGELU = 1, /* x * sigmoid(1.702 x), OpenAI's */
    CLIPC_ACTIVATION_GELU = 2,      /* x * Phi(x), exact (erf) */
} clipc_activation;

/* Formats of numbers: what a checkpoint holds, what matrices are multiplied in. */
typedef enum clipc_dtype {
    CLIPC_DTYPE_AUTO = -1, /* of options: what the file was packed for, else F32 */
    CLIPC_DTYPE_F32 = 0,
    CLIPC_DTYPE_F16 = 1,
    CLIPC_DTYPE_BF16 = 2,
    CLIPC_DTYPE_INT8 = 3,
} clipc_dtype;

/* The halves of a model: what makes embeddings of pictures, and of texts. */
enum {
    CLIPC_TOWER_IMAGE = 1u << 0,
    CLIPC_TOWER_TEXT = 1u << 1,
};

typedef struct clipc_model_options {
    size_t size;                 /* sizeof(clipc_model_options) */
    clipc_activation activation; /* overrides what the files say unless AUTO */
    const char *cache_dir;       /* where names are looked up; NULL: $CLIPC_CACHE and so on */
    unsigned threads;            /* used while loading; 0: all cores */
    uint64_t max_weight_bytes;   /* refuses larger models; default 64 GiB */
    clipc_log_fn log;            /* may be NULL */
    void *log_data;
    /*
     * True leaves the weights in the file, after checking their names and shapes: a matter of
     * milliseconds. Such a model has its info, tokenizer and preprocessing, but no sessions.
     */
    bool without_weights;
    /*
     * How matrices are multiplied, for which weights are packed while loading. F32: the reference's
     * numbers. BF16: weights and rows of activations rounded to bfloat16, sums in float32. INT8:
     * weights scaled by output channel, activations by row. AUTO (default): as a .clipc file is
     * packed, which cannot be opened as another; F32 for every other file.
     */
    clipc_dtype dtype;
    /*
     * CLIPC_TOWER_*: whose weights are loaded, 0 (default) for both. The other's names and shapes
     * are checked, its values are not read; encoding what it is for is an error.
     */
    unsigned towers;
    /*
     * True compares a .clipc file's weights with their checksums, which reads all of them. Other
     * formats have none to compare with: CLIPC_ERROR_UNSUPPORTED.
     */
    bool verify;
} clipc_model_options;

CLIPC_API void clipc_model_options_init(clipc_model_options *options);

/* The largest embed_dim any model may have. */
#define CLIPC_MAX_EMBED_DIM 4096

typedef struct clipc_model_info {
    char arch[32];       /* "ViT-B/32", "RN50", ...; "ViT" or "RN" when not a published shape */
    char format[32];     /* "torchscript", "pytorch", "pytorch-legacy", "safetensors", "clipc" */
    char layout[32];     /* whose tensor names: "openai", "open_clip", "huggingface" */
    uint32_t embed_dim;  /* length of an embedding */
    uint32_t image_size; /* S: pictures are preprocessed to [3][S][S] */
    uint32_t patch_size; /* ViT only; 0 for a ResNet */
    uint32_t vision_layers[4]; /* ViT: [0] resblocks, rest 0; ResNet: blocks of each stage */
    uint32_t vision_width;
    uint32_t vision_heads;
    uint32_t context_length; /* token positions of a text, 77 for OpenAI's */
    uint32_t vocab_size;
    uint32_t text_width;
    uint32_t text_heads;
    uint32_t text_layers;
    clipc_activation activation; /* never AUTO */
    float logit_scale;           /* as stored: a logarithm; logits are scaled by its exponential */
    uint64_t params;             /* number of parameters, batch-norm statistics not counted */
    float mean[3], std[3];       /* preprocessing, per channel R, G, B on the 0..1 scale */
    clipc_dtype dtype;           /* how matrices are multiplied; never AUTO */
    char packed_for[32];         /* of a .clipc file: the CPU level that it was packed for; or "" */
    bool is_mapped; /* weights are used where they lie in the file; false: copied into memory */
} clipc_model_info;

/*
 * Opens a model. `name_or_path` is an existing file (OpenAI's TorchScript archive, a PyTorch state
 * dict, safetensors or its .index.json, a .clipc file), a directory holding one, a known name
 * (clipc_known_models) found in the cache, or "tiny", the small model built in; NULL means "tiny".
 * Files are read as data: nothing in a pickle is ever executed. Weights are copied out of the file,
 * which is closed again before returning; but those of a .clipc file packed for this processor stay
 * in it and are read when they are needed, so it must not change until the model is closed.
 */
CLIPC_API clipc_status clipc_model_open(clipc_model **out, const char *name_or_path,
                                        const clipc_model_options *options, clipc_error *error);
CLIPC_API void clipc_model_get_info(const clipc_model *model, clipc_model_info *out);
CLIPC_API void clipc_model_close(clipc_model *model);

/* ------------------------------------------------------------------------------------------- */
/* Known models and their cache */

typedef struct clipc_known_model {
    const char *name;   /* "ViT-B/32" */
    const char *arch;   /* the same vocabulary as clipc_model_info.arch */
    uint64_t params;    /* number of parameters; 0 for a model built in: open it to know */
    uint64_t bytes;     /* size of the file; 0 when not published */
    const char *sha256; /* 64 hex digits; NULL for a model built in */
    const char *url;    /* where it was published; NULL for a model built in */
} clipc_known_model;

/* The number of known models, and the i-th (static; NULL when out of range). */
CLIPC_API size_t clipc_known_model_count(void);
CLIPC_API const clipc_known_model *clipc_known_model_at(size_t index);

/*
 * The path a known model has in the cache, whether or not the file is there: `cache_dir`, or where
 * that is NULL $CLIPC_CACHE, $XDG_CACHE_HOME/clip, ~/.cache/clip. Writes a NUL-terminated path to
 * `out`. *cached (may be NULL) tells whether a file of that name is there (its sum is not checked).
 * A model built in has no path: CLIPC_ERROR_ARGUMENT.
 */
CLIPC_API clipc_status clipc_cache_path(const char *name, const char *cache_dir, char *out,
                                        size_t out_size, bool *cached, clipc_error *error);

/*
 * Called at most ten times a second while waiting, receiving and verifying, on the caller's thread;
 * total is 0 when unknown. Return true to cancel: what has arrived is kept for the next pull.
 */
typedef bool (*clipc_pull_progress_fn)(void *data, uint64_t received, uint64_t total);

typedef struct clipc_pull_options {
    size_t size;           /* sizeof(clipc_pull_options) */
    const char *cache_dir; /* as above */
    const char *url;       /* a mirror of the file, or file://...; NULL: where it was published */
    clipc_pull_progress_fn progress;
    void *progress_data;
} clipc_pull_options;

CLIPC_API void clipc_pull_options_init(clipc_pull_options *options);

/*
 * Fetches a known model into the cache: resumes a partial transfer, verifies SHA-256, and only then
 * gives the file its final name. A file already there with the right sum is kept, one with another
 * sum is replaced. Two processes may pull at once: the second waits for the first. Nothing is done
 * for a model built in. While it runs, and after a transfer that broke off, the cache also holds
 * the file's name with .part and .lock after it.
 */
CLIPC_API clipc_status clipc_pull(const char *name, const clipc_pull_options *options,
                                  clipc_error *error);

/* ------------------------------------------------------------------------------------------- */
/* Text */

enum {
    CLIPC_TOKENIZE_TRUNCATE = 1u << 0,        /* cut to the context, the end token kept last */
    CLIPC_TOKENIZE_REPLACE_INVALID = 1u << 1, /* invalid UTF-8 becomes U+FFFD instead of an error */
};

/*
 * Tokenizes one NUL-terminated text as the original's clip.tokenize does: text repair (ftfy), HTML
 * unescape, lower-casing, byte pairs; start token, tokens, end token, zeros. `model` gives
 * the vocabulary; NULL means CLIP's own of 49,408 tokens. ids: [context].
 * CLIPC_ERROR_TOO_LONG when it does not fit and TRUNCATE is not set; CLIPC_ERROR_ENCODING when it
 * is not UTF-8 and REPLACE_INVALID is not set.
 */
CLIPC_API clipc_status clipc_tokenize(const clipc_model *model, const char *utf8, int32_t *ids,
                                      size_t context, unsigned flags, clipc_error *error);

/*
 * The same for text of a given length, which may hold NUL characters. *length (may be NULL)
 * receives the number of tokens before padding, start and end included.
 */
CLIPC_API clipc_status clipc_tokenize_bytes(const clipc_model *model, const char *utf8, size_t size,
                                            int32_t *ids, size_t context, unsigned flags,
                                            size_t *length, clipc_error *error);

/*
 * Tokenizes n texts on `threads` threads (0: all cores). ids: [n][context]. The error is that of
 * the first text in order that failed; its position goes to *failed (may be NULL).
 */
CLIPC_API clipc_status clipc_tokenize_batch(const clipc_model *model, const char *const *texts,
                                            size_t n, int32_t *ids, size_t context, unsigned flags,
                                            unsigned threads, size_t *failed, clipc_error *error);

/* ------------------------------------------------------------------------------------------- */
/* Pictures */

typedef struct clipc_image clipc_image;

typedef struct clipc_image_options {
    size_t size;         /* sizeof(clipc_image_options) */
    bool apply_exif;     /* turn the picture as its EXIF orientation says; default false, as CLIP */
    uint64_t max_pixels; /* refuses larger pictures before decoding; default 178,956,970 */
    uint64_t max_bytes;  /* refuses larger files; default 1 GiB */
    /*
     * For functions that go from a file to pixels or an embedding: a large JPEG may be decoded at
     * 1/2, 1/4 or 1/8 of its size. That is no longer what the original computes; default false.
     */
    bool fast_decode;
} clipc_image_options;

CLIPC_API void clipc_image_options_init(clipc_image_options *options);

/* Reads a JPEG, PNG, WebP, GIF (first frame), BMP or TIFF (first page); told apart by content. */
CLIPC_API clipc_status clipc_image_read(clipc_image **out, const char *path,
                                        const clipc_image_options *options, clipc_error *error);
/* The same from memory; `bytes` is not needed after the call. `source` names it in messages. */
CLIPC_API clipc_status clipc_image_decode(clipc_image **out, const void *bytes, size_t size,
                                          const char *source, const clipc_image_options *options,
                                          clipc_error *error);
/* A picture of the caller's own: 8-bit RGB, rows `stride` bytes apart; copied. */
CLIPC_API clipc_status clipc_image_from_rgb(clipc_image **out, const uint8_t *rgb, uint32_t width,
                                            uint32_t height, size_t stride, clipc_error *error);
CLIPC_API void clipc_image_get_size(const clipc_image *image, uint32_t *width, uint32_t *height);
CLIPC_API void clipc_image_close(clipc_image *image);

/*
 * Resize (bicubic, shorter side to S), center crop, RGB, normalise: bit for bit what the original's
 * transform gives with Pillow. out: [3][S][S], S = the model's image_size.
 */
CLIPC_API clipc_status clipc_preprocess(const clipc_model *model, const clipc_image *image,
                                        float *out, clipc_error *error);

/*
 * clipc_image_read() and clipc_preprocess() in one, with the same result and less of both time and
 * memory: a JPEG is decoded in strips, and no further than the crop needs.
 */
CLIPC_API clipc_status clipc_preprocess_file(const clipc_model *model, const char *path,
                                             const clipc_image_options *options, float *out,
                                             clipc_error *error);

/* ------------------------------------------------------------------------------------------- */
/* Encoding */

typedef struct clipc_session clipc_session;

typedef struct clipc_session_options {
    size_t size;      /* sizeof(clipc_session_options) */
    unsigned threads; /* 0: all cores */
    size_t max_batch; /* most pictures or texts in memory at once; 0: chosen by the library */
} clipc_session_options;

CLIPC_API void clipc_session_options_init(clipc_session_options *options);

/* The model must outlive the session. */
CLIPC_API clipc_status clipc_session_open(clipc_session **out, const clipc_model *model,
                                          const clipc_session_options *options, clipc_error *error);
CLIPC_API void clipc_session_close(clipc_session *session);

/* One op that a session has computed. A batch is some hundred of them, one after the other. */
typedef struct clipc_profile_op {
    const char *op;  /* what it is: "linear", "attention", ...; static */
    size_t rank;     /* of its output */
    size_t shape[4]; /* of its output; the first `rank` count */
    size_t depth;    /* a matrix product's: terms of each sum; else 0 */
    double seconds;  /* from its beginning to its end, on all threads */
    /*
     * By its definition: a multiply-add is two operations, what rides along with a matrix product
     * (bias, activation) is none; operands read, weights as they are packed among them, and the
     * output written count once.
     */
    double flops, bytes;
} clipc_profile_op;

/* `op` is valid during the call. */
typedef void (*clipc_profile_fn)(void *data, const clipc_profile_op *op);

/*
 * From now on encode_* call `profile` after each op, one at a time; NULL ends it. Where pictures
 * are read while others are encoded, that may be on a thread of the session. What is computed stays
 * the same.
 */
CLIPC_API void clipc_session_profile(clipc_session *session, clipc_profile_fn profile, void *data);

/* One matrix kernel's speed at one shape: rows of in_features by weights of out_features. */
typedef struct clipc_kernel_speed {
    const char *level; /* the CPU level: "portable", "avx2", ...; static */
    clipc_dtype dtype;
    size_t rows, out_features, in_features;
    double seconds; /* the best of some trials, on one thread, with weights not in a cache */
    double median_seconds;
    double flops;   /* operations of one trial, a multiply-add being two */
    double ceiling; /* operations a second of the same arithmetic alone; 0: not measured */
} clipc_kernel_speed;

/* `speed` is valid during the call. */
typedef void (*clipc_kernel_speed_fn)(void *data, const clipc_kernel_speed *speed);

/*
 * Measures the matrix kernels of every CPU level that this processor has, or of those up to the one
 * that CLIPC_CPU names, at shapes of CLIP's towers; some seconds, and some 200 MB of memory. Calls
 * `report` after each.
 */
CLIPC_API clipc_status clipc_measure_kernels(clipc_kernel_speed_fn report, void *data,
                                             clipc_error *error);

/*
 * encode_* give what the reference's encode_image and encode_text return: not normalised.
 * out: [n][embed_dim]. An input's embedding has the same bits in any batch and with any number
 * of threads. n may be 0.
 */
/* pixels: [n][3][S][S] as clipc_preprocess gives them. */
CLIPC_API clipc_status clipc_encode_pixels(clipc_session *session, const float *pixels, size_t n,
                                           float *out, clipc_error *error);
/* ids: [n][context_length], pooled at the first occurrence of the largest id, the end token. */
CLIPC_API clipc_status clipc_encode_tokens(clipc_session *session, const int32_t *ids, size_t n,
                                           float *out, clipc_error *error);
CLIPC_API clipc_status clipc_encode_images(clipc_session *session, const clipc_image *const *images,
                                           size_t n, float *out, clipc_error *error);
/*
 * Reads, preprocesses and encodes files. A file that fails leaves its row zero, fills errors[i]
 * (errors: [n], or NULL), and the rest is done; the returned status is the first failure's.
 */
CLIPC_API clipc_status clipc_encode_image_files(clipc_session *session, const char *const *paths,
                                                size_t n, const clipc_image_options *options,
                                                float *out, clipc_error *errors,
                                                clipc_error *error);
/* flags: CLIPC_TOKENIZE_*. */
CLIPC_API clipc_status clipc_encode_texts(clipc_session *session, const char *const *texts,
                                          size_t n, unsigned flags, float *out, clipc_error *error);

/* ------------------------------------------------------------------------------------------- */
/* Scores */

/* Divides each row of x: [n][d] by its Euclidean length, in place; a zero row stays zero. */
CLIPC_API void clipc_normalize(float *x, size_t n, size_t d);

/*
 * exp(logit_scale) times the cosine similarities, as the reference's forward: image:
 * [ni][embed_dim] and text: [nt][embed_dim] as encode_* gave them or normalised; out: [ni][nt].
 */
CLIPC_API clipc_status clipc_logits(const clipc_model *model, const float *image, size_t ni,
                                    const float *text, size_t nt, float *out, clipc_error *error);

/* Softmax over each row of logits: [n][k], k > 0; out may be logits. */
CLIPC_API void clipc_softmax(const float *logits, size_t n, size_t k, float *out);

/* ------------------------------------------------------------------------------------------- */
/* Zero-shot classification */

/*
 * One embedding a class, normalised: every template is filled with the label at each "{}", encoded
 * and normalised; the mean of these is normalised again, as in OpenAI's notebook. With
 * nt = 0 the label itself is the text. out: [n][embed_dim].
 */
CLIPC_API clipc_status clipc_encode_classes(clipc_session *session, const char *const *labels,
                                            size_t n, const char *const *templates, size_t nt,
                                            unsigned flags, float *out, clipc_error *error);

/*
 * A published list, static: *items has the returned number of strings; 0 when the name is unknown.
 */
CLIPC_API size_t clipc_template_set(const char *name, const char *const **items);
CLIPC_API size_t clipc_class_set(const char *name, const char *const **items);
/* The names of the sets, in order; NULL when out of range. */
CLIPC_API const char *clipc_template_set_name(size_t index);
CLIPC_API const char *clipc_class_set_name(size_t index);

/* ------------------------------------------------------------------------------------------- */
/* Converting checkpoints */

typedef enum clipc_layout {
    CLIPC_LAYOUT_OPENAI = 0,      /* OpenAI's and open_clip's tensor names */
    CLIPC_LAYOUT_HUGGINGFACE = 1, /* CLIPModel's tensor names (ViT only) */
} clipc_layout;

/*
 * Called now and then on the caller's thread, with the bytes converted and their total. Return true
 * to cancel: nothing is left behind.
 */
typedef bool (*clipc_convert_progress_fn)(void *data, uint64_t done, uint64_t total);

typedef struct clipc_convert_options {
    size_t size;                 /* sizeof(clipc_convert_options) */
    bool keep_dtype;             /* default true: every tensor as it is in the input */
    clipc_dtype dtype;           /* when keep_dtype is false: F32, F16, BF16; .clipc: or INT8 */
    clipc_layout layout;         /* names in the output */
    clipc_activation activation; /* as in clipc_model_options */
    clipc_log_fn log;
    void *log_data;
    clipc_convert_progress_fn progress; /* may be NULL */
    void *progress_data;
    /* .clipc: the CPU level whose kernels the weights are packed for; NULL: the one in use here. */
    const char *cpu;
} clipc_convert_options;

CLIPC_API void clipc_convert_options_init(clipc_convert_options *options);

/*
 * Writes the checkpoint `in` to `out`, by its ending: .safetensors, .pt/.pth/.bin (a PyTorch state
 * dict), or .clipc.
 *
 * A .clipc file is a model as the kernels want it, for one way to multiply matrices (dtype; F32
 * with keep_dtype), with its configuration inside: opening it takes no time, and processes share
 * its pages. `in` may be one too, packed for another processor. It cannot be turned back.
 *
 * Beside the others stands what the tensors do not tell: open_clip_config.json for a state dict in
 * OpenAI's layout, config.json and preprocessor_config.json in Hugging Face's; one that is there
 * already and says something else is an error.
 *
 * Files appear under their names only when complete.
 */
CLIPC_API clipc_status clipc_convert(const char *in, const char *out,
                                     const clipc_convert_options *options, clipc_error *error);

#ifdef __cplusplus
}
#endif

#endif

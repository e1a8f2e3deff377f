/* SPDX-License-Identifier: MIT */
/* The SHA-256 of a file, read in pieces. */
#include "base/memory.h"
#include "base/status.h"
#include "hub/hub.h"

#include <errno.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <unistd.h>

enum { PIECE = 1 << 18 };

static clipc_status digest_failed(const char *source, clipc_error *error)
{
    return clipc_fail(error, CLIPC_ERROR_UNSUPPORTED, "%s: OpenSSL cannot compute SHA-256", source);
}

static clipc_status add_file(EVP_MD_CTX *digest, unsigned char *piece, int descriptor,
                             const char *source, clipc_progress *progress, clipc_error *error)
{
    for (off_t offset = 0;;) {
        ssize_t got = pread(descriptor, piece, PIECE, offset);

        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return clipc_fail_errno(error, source, "read");
        if (got == 0)
            return CLIPC_OK;
        if (EVP_DigestUpdate(digest, piece, (size_t)got) != 1)
            return digest_failed(source, error);
        offset += got;
        if (clipc_progress_report(progress))
            return clipc_fail(error, CLIPC_ERROR_CANCELLED, "%s: cancelled while its sum was taken",
                              source);
    }
}

static void write_hex(const unsigned char *bytes, size_t n, char *hex)
{
    static const char digits[] = "0123456789abcdef";

    for (size_t i = 0; i < n; i++) {
        hex[2 * i] = digits[bytes[i] >> 4];
        hex[2 * i + 1] = digits[bytes[i] & 15];
    }
    hex[2 * n] = '\0';
}

clipc_status clipc_sha256_file(int descriptor, const char *source, clipc_progress *progress,
                               char hex[CLIPC_SHA256_HEX_SIZE], clipc_error *error)
{
    unsigned char *piece = clipc_calloc(PIECE, 1), sum[EVP_MAX_MD_SIZE];
    EVP_MD_CTX *digest = EVP_MD_CTX_new();
    clipc_status status = CLIPC_OK;

    if (!piece || !digest)
        status = clipc_fail_memory(error, source, PIECE);
    else if (EVP_DigestInit_ex(digest, EVP_sha256(), NULL) != 1)
        status = digest_failed(source, error);
    else
        status = add_file(digest, piece, descriptor, source, progress, error);
    if (!status && EVP_DigestFinal_ex(digest, sum, NULL) != 1)
        status = digest_failed(source, error);
    if (!status)
        write_hex(sum, CLIPC_SHA256_HEX_SIZE / 2, hex);
    EVP_MD_CTX_free(digest);
    free(piece);
    return status;
}

/* SPDX-License-Identifier: MIT */
/* The .npy writer of preprocess and embed. */
#define _XOPEN_SOURCE 700 /* realpath */
#include "cli/npy.h"

#include "cli/command.h"
#include "cli/output.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct clipc_cli_npy {
    FILE *file;
    bool direct; /* path is no regular file: nothing to rename */
    char *path;
    char *temporary; /* NULL when direct */
};

static int fail(const clipc_cli_npy *npy, const char *verb)
{
    clipc_cli_error("%s: cannot %s: %s", npy->path, verb, strerror(errno));
    return CLIPC_CLI_FAILED;
}

/* Settles path and temporary. Links are followed, as a rename would replace the link itself. */
static int choose_paths(clipc_cli_npy *npy, const char *path)
{
    struct stat status;
    size_t size;

    npy->path = realpath(path, NULL);
    if (!npy->path)
        npy->path = strdup(path);
    if (!npy->path)
        return clipc_cli_out_of_memory();
    npy->direct = !stat(npy->path, &status) && !S_ISREG(status.st_mode);
    if (npy->direct)
        return CLIPC_CLI_DONE;
    size = strlen(npy->path) + 32;
    npy->temporary = malloc(size);
    if (!npy->temporary)
        return clipc_cli_out_of_memory();
    snprintf(npy->temporary, size, "%s.%ld.tmp", npy->path, (long)getpid());
    return CLIPC_CLI_DONE;
}

static int open_file(clipc_cli_npy *npy)
{
    int flags = npy->direct ? O_WRONLY : O_WRONLY | O_CREAT | O_EXCL;
    int descriptor = open(npy->direct ? npy->path : npy->temporary, flags | O_CLOEXEC, 0666);

    if (descriptor < 0)
        return fail(npy, "create");
    npy->file = fdopen(descriptor, "wb");
    if (npy->file)
        return CLIPC_CLI_DONE;
    close(descriptor);
    if (!npy->direct)
        unlink(npy->temporary);
    return fail(npy, "create");
}

/*
 * Version 1.0: magic, version, the header's length in 2 bytes, then a Python dictionary padded with
 * blanks so that the data starts at a multiple of 64.
 */
static int write_header(clipc_cli_npy *npy, const size_t *shape, size_t rank)
{
    const uint16_t one = 1;
    bool little = *(const unsigned char *)&one == 1;
    char header[256];
    unsigned char prefix[10] = {0x93, 'N', 'U', 'M', 'P', 'Y', 1, 0, 0, 0};
    size_t used, padded;

    used = (size_t)snprintf(header, sizeof(header),
                            "{'descr': '%cf4', 'fortran_order': False, 'shape': (",
                            little ? '<' : '>');
    for (size_t i = 0; i < rank; i++)
        used += (size_t)snprintf(header + used, sizeof(header) - used, "%zu,%s", shape[i],
                                 i + 1 < rank ? " " : "");
    used += (size_t)snprintf(header + used, sizeof(header) - used, "), }");
    padded = (sizeof(prefix) + used + 1 + 63) / 64 * 64 - sizeof(prefix);
    memset(header + used, ' ', padded - used);
    header[padded - 1] = '\n';
    prefix[8] = (unsigned char)(padded & 0xff);
    prefix[9] = (unsigned char)(padded >> 8);
    if (fwrite(prefix, sizeof(prefix), 1, npy->file) != 1 ||
        fwrite(header, padded, 1, npy->file) != 1)
        return fail(npy, "write");
    return CLIPC_CLI_DONE;
}

int clipc_cli_npy_open(clipc_cli_npy **out, const char *path, const size_t *shape, size_t rank)
{
    clipc_cli_npy *npy = calloc(1, sizeof(*npy));
    int code;

    *out = NULL;
    if (!npy)
        return clipc_cli_out_of_memory();
    code = choose_paths(npy, path);
    if (!code)
        code = open_file(npy);
    if (!code)
        code = write_header(npy, shape, rank);
    if (code)
        clipc_cli_npy_abandon(npy);
    else
        *out = npy;
    return code;
}

int clipc_cli_npy_write(clipc_cli_npy *npy, const float *values, size_t count)
{
    if (fwrite(values, sizeof(*values), count, npy->file) != count)
        return fail(npy, "write");
    return CLIPC_CLI_DONE;
}

int clipc_cli_npy_commit(clipc_cli_npy *npy)
{
    int code = CLIPC_CLI_DONE;

    /* A pipe cannot be flushed to a disk, a file must. */
    if (fflush(npy->file) || (!npy->direct && fsync(fileno(npy->file))))
        code = fail(npy, "write");
    if (fclose(npy->file) && !code)
        code = fail(npy, "write");
    npy->file = NULL;
    if (!npy->direct && !code && rename(npy->temporary, npy->path))
        code = fail(npy, "write");
    if (!npy->direct && code)
        unlink(npy->temporary);
    npy->direct = true;
    clipc_cli_npy_abandon(npy);
    return code;
}

void clipc_cli_npy_abandon(clipc_cli_npy *npy)
{
    if (!npy)
        return;
    if (npy->file) {
        fclose(npy->file);
        if (!npy->direct)
            unlink(npy->temporary);
    }
    free(npy->temporary);
    free(npy->path);
    free(npy);
}

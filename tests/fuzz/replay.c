/* SPDX-License-Identifier: MIT */
/* The main of a fuzz target outside libFuzzer: feeds it every file of the folders it is given. */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define LARGEST_INPUT (8u << 20)

static int replay_file(const char *path, uint8_t *buffer)
{
    FILE *file = fopen(path, "rb");
    size_t size;
    uint8_t *exact;

    if (!file)
        return -1;
    size = fread(buffer, 1, LARGEST_INPUT, file);
    fclose(file);
    exact =
        malloc(size ? size : 1); /* its own block, so that a sanitizer sees a read past the end */
    if (!exact)
        return -1;
    for (size_t i = 0; i < size; i++)
        exact[i] = buffer[i];
    LLVMFuzzerTestOneInput(exact, size);
    free(exact);
    return 0;
}

static int replay_folder(const char *folder, uint8_t *buffer)
{
    DIR *stream = opendir(folder);
    const struct dirent *entry;
    char path[4096];
    int files = 0;

    if (!stream)
        return -1;
    while ((entry = readdir(stream)) != NULL) {
        if (entry->d_name[0] == '.')
            continue;
        snprintf(path, sizeof(path), "%s/%s", folder, entry->d_name);
        if (replay_file(path, buffer) != 0) {
            fprintf(stderr, "%s: cannot be read\n", path);
            files = -1;
            break;
        }
        files++;
    }
    closedir(stream);
    return files;
}

int main(int argc, char **argv)
{
    uint8_t *buffer = malloc(LARGEST_INPUT);
    int failed = buffer == NULL || argc < 2;

    for (int i = 1; i < argc && !failed; i++) {
        int files = replay_folder(argv[i], buffer);

        printf("%s: %d inputs\n", argv[i], files);
        failed = files < 1; /* an empty corpus tests nothing */
    }
    free(buffer);
    return failed;
}

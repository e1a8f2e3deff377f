/* SPDX-License-Identifier: MIT */
/* The models that have a name: those OpenAI published, and the small one built in. */
#include "base/status.h"
#include "embedded/tiny_model.h"
#include "hub/hub.h"

#include <stdio.h>
#include <string.h>

/* OpenAI's addresses hold the file's SHA-256. */
#define PUBLISHED(sum, file)                                                                       \
    .sha256 = (sum), .url = "https://openaipublic.azureedge.net/clip/models/" sum "/" file

static const clipc_known_model known_models[] = {
    {.name = "tiny", .arch = "ViT", .bytes = sizeof(clipc_embedded_tiny_model) - 1},
    {.name = "RN50",
     .arch = "RN50",
     .params = 102007137,
     .bytes = 255827503,
     PUBLISHED("afeb0e10f9e5a86da6080e35cf09123aca3b358a0c3e3b6c78a7b63bc04b6762", "RN50.pt")},
    {.name = "RN101",
     .arch = "RN101",
     .params = 119688033,
     .bytes = 291791292,
     PUBLISHED("8fa8567bab74a42d41c5915025a8e4538c3bdbe8804a470a72f30b0d94fab599", "RN101.pt")},
    {.name = "RN50x4",
     .arch = "RN50x4",
     .params = 178300601,
     .bytes = 421854225,
     PUBLISHED("7e526bd135e493cef0776de27d5f42653e6b4c8bf9e0f653bb11773263205fdd", "RN50x4.pt")},
    {.name = "RN50x16",
     .arch = "RN50x16",
     .params = 290979217,
     .bytes = 661125706,
     PUBLISHED("52378b407f34354e150460fe41077663dd5b39c54cd0bfd2b27167a4a06ec9aa", "RN50x16.pt")},
    {.name = "RN50x64",
     .arch = "RN50x64",
     .params = 623258305,
     .bytes = 1353500174,
     PUBLISHED("be1cfb55d75a9666199fb2206c106743da0f6468c9d327f3e0d0a543a9919d9c", "RN50x64.pt")},
    {.name = "ViT-B/32",
     .arch = "ViT-B/32",
     .params = 151277313,
     .bytes = 353976522,
     PUBLISHED("40d365715913c9da98579312b702a82c18be219cc2a73407c4526f58eba950af", "ViT-B-32.pt")},
    {.name = "ViT-B/16",
     .arch = "ViT-B/16",
     .params = 149620737,
     .bytes = 350837078,
     PUBLISHED("5806e77cd80f8b59890b7e101eabd078d9fb84e6937f9e85e4ecb61988df416f", "ViT-B-16.pt")},
    {.name = "ViT-L/14",
     .arch = "ViT-L/14",
     .params = 427616513,
     .bytes = 932768134,
     PUBLISHED("b8cca3fd41ae0c99ba7e8951adf17d267cdb84cd88be6f7c2e0eca1737a03836", "ViT-L-14.pt")},
    {.name = "ViT-L/14@336px",
     .arch = "ViT-L/14@336px",
     .params = 427944193,
     .bytes = 934088680,
     PUBLISHED("3035c92b350959924f9f00213499208652fc7ea050643e8b385c2dac08641f02",
               "ViT-L-14-336px.pt")},
};

#undef PUBLISHED

#define KNOWN_MODEL_COUNT (sizeof(known_models) / sizeof(known_models[0]))

size_t clipc_known_model_count(void)
{
    return KNOWN_MODEL_COUNT;
}

const clipc_known_model *clipc_known_model_at(size_t index)
{
    return index < KNOWN_MODEL_COUNT ? &known_models[index] : NULL;
}

const clipc_known_model *clipc_known_model_find(const char *name, clipc_error *error)
{
    char names[160] = "";
    size_t used = 0;

    for (size_t i = 0; i < KNOWN_MODEL_COUNT; i++)
        if (strcmp(name, known_models[i].name) == 0)
            return &known_models[i];
    for (size_t i = 0; i < KNOWN_MODEL_COUNT && used < sizeof(names); i++)
        used += (size_t)snprintf(names + used, sizeof(names) - used, "%s%s", i ? ", " : "",
                                 known_models[i].name);
    clipc_fail(error, CLIPC_ERROR_NOT_FOUND,
               "%.80s: no known model has this name, expected one of %s", name, names);
    return NULL;
}

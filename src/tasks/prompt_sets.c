/* SPDX-License-Identifier: MIT */
/* Published prompt templates and class names, compiled in from data/templates and data/classes. */
#include <clipc.h>

#include "embedded/classes_caltech101.h"
#include "embedded/classes_cifar10.h"
#include "embedded/classes_cifar100.h"
#include "embedded/classes_country211.h"
#include "embedded/classes_dtd.h"
#include "embedded/classes_eurosat.h"
#include "embedded/classes_flowers102.h"
#include "embedded/classes_food101.h"
#include "embedded/classes_gtsrb.h"
#include "embedded/classes_imagenet.h"
#include "embedded/classes_kitti.h"
#include "embedded/classes_mnist.h"
#include "embedded/classes_oxford_pets.h"
#include "embedded/classes_stl10.h"
#include "embedded/classes_sun397.h"
#include "embedded/classes_voc2007.h"
#include "embedded/templates_caltech101.h"
#include "embedded/templates_cifar10.h"
#include "embedded/templates_country211.h"
#include "embedded/templates_dtd.h"
#include "embedded/templates_eurosat.h"
#include "embedded/templates_fer2013.h"
#include "embedded/templates_fgvc_aircraft.h"
#include "embedded/templates_flowers102.h"
#include "embedded/templates_food101.h"
#include "embedded/templates_gtsrb.h"
#include "embedded/templates_imagenet.h"
#include "embedded/templates_imagenet7.h"
#include "embedded/templates_kitti.h"
#include "embedded/templates_mnist.h"
#include "embedded/templates_oxford_pets.h"
#include "embedded/templates_rendered_sst2.h"
#include "embedded/templates_stanford_cars.h"
#include "embedded/templates_stl10.h"
#include "embedded/templates_voc2007.h"
#include <string.h>

/* A list that can be asked for by name. */
typedef struct prompt_set {
    const char *name;
    const char *const *items;
    size_t count;
} prompt_set;

#define ITEMS(list) (list), sizeof(list) / sizeof((list)[0])

static const prompt_set template_sets[] = {
    {"imagenet", ITEMS(clipc_embedded_templates_imagenet)},
    {"imagenet7", ITEMS(clipc_embedded_templates_imagenet7)},
    {"caltech101", ITEMS(clipc_embedded_templates_caltech101)},
    {"cifar10", ITEMS(clipc_embedded_templates_cifar10)},
    {"cifar100", ITEMS(clipc_embedded_templates_cifar10)}, /* as published, the same as cifar10 */
    {"country211", ITEMS(clipc_embedded_templates_country211)},
    {"dtd", ITEMS(clipc_embedded_templates_dtd)},
    {"eurosat", ITEMS(clipc_embedded_templates_eurosat)},
    {"fer2013", ITEMS(clipc_embedded_templates_fer2013)},
    {"fgvc_aircraft", ITEMS(clipc_embedded_templates_fgvc_aircraft)},
    {"flowers102", ITEMS(clipc_embedded_templates_flowers102)},
    {"food101", ITEMS(clipc_embedded_templates_food101)},
    {"gtsrb", ITEMS(clipc_embedded_templates_gtsrb)},
    {"kitti", ITEMS(clipc_embedded_templates_kitti)},
    {"mnist", ITEMS(clipc_embedded_templates_mnist)},
    {"oxford_pets", ITEMS(clipc_embedded_templates_oxford_pets)},
    {"rendered_sst2", ITEMS(clipc_embedded_templates_rendered_sst2)},
    {"stanford_cars", ITEMS(clipc_embedded_templates_stanford_cars)},
    {"stl10", ITEMS(clipc_embedded_templates_stl10)},
    {"sun397", ITEMS(clipc_embedded_templates_stl10)}, /* as published, the same as stl10 */
    {"voc2007", ITEMS(clipc_embedded_templates_voc2007)},
};

static const prompt_set class_sets[] = {
    {"imagenet", ITEMS(clipc_embedded_classes_imagenet)},
    {"caltech101", ITEMS(clipc_embedded_classes_caltech101)},
    {"cifar10", ITEMS(clipc_embedded_classes_cifar10)},
    {"cifar100", ITEMS(clipc_embedded_classes_cifar100)},
    {"country211", ITEMS(clipc_embedded_classes_country211)},
    {"dtd", ITEMS(clipc_embedded_classes_dtd)},
    {"eurosat", ITEMS(clipc_embedded_classes_eurosat)},
    {"flowers102", ITEMS(clipc_embedded_classes_flowers102)},
    {"food101", ITEMS(clipc_embedded_classes_food101)},
    {"gtsrb", ITEMS(clipc_embedded_classes_gtsrb)},
    {"kitti", ITEMS(clipc_embedded_classes_kitti)},
    {"mnist", ITEMS(clipc_embedded_classes_mnist)},
    {"oxford_pets", ITEMS(clipc_embedded_classes_oxford_pets)},
    {"stl10", ITEMS(clipc_embedded_classes_stl10)},
    {"sun397", ITEMS(clipc_embedded_classes_sun397)},
    {"voc2007", ITEMS(clipc_embedded_classes_voc2007)},
};

enum {
    TEMPLATE_SETS = sizeof(template_sets) / sizeof(template_sets[0]),
    CLASS_SETS = sizeof(class_sets) / sizeof(class_sets[0]),
};

static size_t find(const prompt_set *sets, size_t n, const char *name, const char *const **items)
{
    for (size_t i = 0; name && i < n; i++) {
        if (strcmp(name, sets[i].name) == 0) {
            *items = sets[i].items;
            return sets[i].count;
        }
    }
    *items = NULL;
    return 0;
}

size_t clipc_template_set(const char *name, const char *const **items)
{
    return find(template_sets, TEMPLATE_SETS, name, items);
}

size_t clipc_class_set(const char *name, const char *const **items)
{
    return find(class_sets, CLASS_SETS, name, items);
}

const char *clipc_template_set_name(size_t index)
{
    return index < TEMPLATE_SETS ? template_sets[index].name : NULL;
}

const char *clipc_class_set_name(size_t index)
{
    return index < CLASS_SETS ? class_sets[index].name : NULL;
}

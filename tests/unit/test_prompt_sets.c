/* SPDX-License-Identifier: MIT */
/* The published templates and class names: lengths, ends, and the place for the label. */
#include <clipc.h>

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include <string.h>

typedef size_t (*set_fn)(const char *name, const char *const **items);

static void assert_set(set_fn set, const char *name, size_t expected, const char *first,
                       const char *last)
{
    const char *const *items;
    size_t count = set(name, &items);

    assert_int_equal(count, expected);
    assert_string_equal(items[0], first);
    assert_string_equal(items[count - 1], last);
}

static void test_templates(void **state)
{
    const char *const *items;
    const char *const *others;

    (void)state;
    assert_set(clipc_template_set, "imagenet", 80, "a bad photo of a {}.", "a tattoo of the {}.");
    assert_set(clipc_template_set, "imagenet7", 7, "itap of a {}.", "a photo of the small {}.");
    assert_set(clipc_template_set, "mnist", 1, "a photo of the number: \"{}\".",
               "a photo of the number: \"{}\".");
    assert_int_equal(clipc_template_set("cifar10", &items), 18);
    assert_int_equal(clipc_template_set("cifar100", &others), 18);
    assert_ptr_equal(items, others);
}

static void test_classes(void **state)
{
    const char *const *items;

    (void)state;
    assert_set(clipc_class_set, "imagenet", 1000, "tench", "toilet paper");
    assert_int_equal(clipc_class_set("imagenet", &items), 1000);
    assert_string_equal(items[281], "tabby cat");
    assert_set(clipc_class_set, "cifar10", 10, "airplane", "truck");
    assert_set(clipc_class_set, "cifar100", 100, "apple", "worm");
    assert_set(clipc_class_set, "food101", 101, "apple pie", "waffles");
    assert_set(clipc_class_set, "oxford_pets", 37, "Abyssinian", "Yorkshire Terrier");
}

static void test_every_set(void **state)
{
    const char *const *items;
    size_t sets = 0;

    (void)state;
    for (const char *name; (name = clipc_template_set_name(sets)); sets++) {
        size_t n = clipc_template_set(name, &items);

        assert_true(n > 0);
        for (size_t i = 0; i < n; i++)
            assert_non_null(strstr(items[i], "{}"));
    }
    assert_int_equal(sets, 21);
    sets = 0;
    for (const char *name; (name = clipc_class_set_name(sets)); sets++) {
        size_t n = clipc_class_set(name, &items);

        assert_true(n > 0);
        for (size_t i = 0; i < n; i++)
            assert_true(items[i][0] != '\0' && !strstr(items[i], "{}"));
        assert_true(clipc_template_set(name, &items) > 0); /* each has its templates */
    }
    assert_int_equal(sets, 16);
}

static void test_unknown(void **state)
{
    const char *const *items;

    (void)state;
    assert_int_equal(clipc_template_set("Imagenet", &items), 0);
    assert_null(items);
    assert_int_equal(clipc_class_set("", &items), 0);
    assert_int_equal(clipc_class_set(NULL, &items), 0);
    assert_null(clipc_class_set_name((size_t)-1));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_templates),
        cmocka_unit_test(test_classes),
        cmocka_unit_test(test_every_set),
        cmocka_unit_test(test_unknown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

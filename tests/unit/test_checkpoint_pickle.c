/* SPDX-License-Identifier: MIT */
/* The pickle machine: what it reads, what it refuses by name, and what it does not let grow. */
#include "checkpoint_builder.h"

#include "checkpoint/pickle.h"
#include "checkpoint/state_dict.h"

static const clipc_pickle_options options = {
    .allows = clipc_state_dict_allows,
    .max_values = 1000,
    .source = "file",
};

/* Reads a pickle of `size` bytes; the arena is the caller's. */
static clipc_status read_with(const void *bytes, size_t size, clipc_arena *arena,
                              clipc_pickle_value **out, clipc_error *error)
{
    uint8_t *exact = exact_copy(bytes, size);
    size_t used = 0;
    clipc_status status = clipc_pickle_read(out, arena, exact, size, &options, &used, error);

    assert_true(used <= size);
    free(exact);
    return status;
}

static void assert_pickle_refused(const void *bytes, size_t size, clipc_status status,
                                  const char *text)
{
    clipc_arena arena = {0};
    clipc_pickle_value *value;
    clipc_error error = {.code = CLIPC_OK};
    const clipc_status found = read_with(bytes, size, &arena, &value, &error);

    if (found != status)
        fail_msg("status %d \"%s\", expected %d \"%s\"", found, error.message, status, text);
    assert_message(&error, "file", text);
    clipc_arena_free(&arena);
}

#define REFUSED(text, status, message)                                                             \
    assert_pickle_refused(text, sizeof(text) - 1, status, message)
#define MALFORMED(text, message) REFUSED(text, CLIPC_ERROR_FORMAT, message)
#define FORBIDDEN(text, message) REFUSED(text, CLIPC_ERROR_UNSUPPORTED, message)

/* --- Values --- */

static void test_values(void **state)
{
    /* A list of one value of every kind, by the opcodes of every protocol. */
    static const char pickle[] = "\x80\x04\x95\0\0\0\0\0\0\0\0]("
                                 "N\x88\x89I01\nI00\nI-12\nL-13L\nJ\xFF\xFF\xFF\xFF"
                                 "K\xFFM\xFF\xFF\x8A\0\x8A\1\x80\x8A\x8\1\0\0\0\0\0\0\x80"
                                 "\x8A\x9\0\0\0\0\0\0\0\0\1\x8B\1\0\0\0\5"
                                 "G\xC0\4\0\0\0\0\0\0F2.5\n"
                                 "X\2\0\0\0ab\x8C\2cdVef\nS'gh'\nU\2ijC\2klT\2\0\0\0mn)(K\1te.";
    static const int64_t integers[] = {0,  1,   0,     1, 0,    -12,          -13,
                                       -1, 255, 65535, 0, -128, INT64_MIN + 1};
    static const char *const texts[] = {"ab", "cd", "ef", "gh", "ij", "kl", "mn"};
    clipc_arena arena = {0};
    clipc_pickle_value *value;
    clipc_error error;
    uint8_t *exact = exact_copy(pickle, sizeof(pickle) - 1);
    size_t used;

    (void)state;
    if (clipc_pickle_read(&value, &arena, exact, sizeof(pickle) - 1, &options, &used, &error))
        fail_msg("%s", error.message);
    assert_int_equal(used, sizeof(pickle) - 1);
    assert_int_equal(value->kind, CLIPC_PICKLE_LIST);
    assert_int_equal(value->count, 26);
    for (size_t i = 0; i < 13; i++)
        assert_true(value->items[i]->integer == integers[i]);
    assert_int_equal(value->items[0]->kind, CLIPC_PICKLE_NONE);
    assert_int_equal(value->items[1]->kind, CLIPC_PICKLE_BOOL);
    assert_int_equal(value->items[4]->kind, CLIPC_PICKLE_BOOL);
    assert_int_equal(value->items[5]->kind, CLIPC_PICKLE_INTEGER);
    assert_int_equal(value->items[13]->kind, CLIPC_PICKLE_BIG);
    assert_int_equal(value->items[13]->text.length, 9);
    assert_int_equal(value->items[14]->integer, 5);
    assert_true(value->items[15]->real == -2.5 && value->items[16]->real == 2.5);
    for (size_t i = 0; i < 7; i++)
        assert_true(clipc_pickle_is_text(value->items[17 + i], texts[i]));
    assert_int_equal(value->items[24]->kind, CLIPC_PICKLE_TUPLE);
    assert_int_equal(value->items[24]->count, 0);
    assert_int_equal(value->items[25]->count, 1);
    clipc_arena_free(&arena);
    free(exact);
}

static void test_dicts(void **state)
{
    static const char *const pickles[] = {
        "}Va\nI5\ns.",
        "(Va\nI5\nd.",
        "}(Va\nI5\nu.",
        "ccollections\nOrderedDict\n)RVa\nI5\ns.",
        "ccollections\nOrderedDict\n((lp0\n(Va\nI5\ntatR.",
        "ccollections\nOrderedDict\n(](Va\nI5\nlatRV_metadata\nb.",
        "}p7\n0g7\n2Va\nI5\ns0.",
        "Vcollections\nVOrderedDict\n\x93)RVa\nI5\ns.",
    };

    (void)state;
    for (size_t i = 0; i < sizeof(pickles) / sizeof(pickles[0]); i++) {
        uint8_t *exact = exact_copy(pickles[i], strlen(pickles[i]));
        clipc_arena arena = {0};
        clipc_pickle_value *value;
        const clipc_pickle_value *found;
        clipc_error error;

        if (clipc_pickle_read(&value, &arena, exact, strlen(pickles[i]), &options, NULL, &error))
            fail_msg("%zu: %s", i, error.message);
        assert_int_equal(value->kind, CLIPC_PICKLE_DICT);
        found = clipc_pickle_get(value, "a");
        assert_non_null(found);
        assert_int_equal(found->integer, 5);
        assert_null(clipc_pickle_get(value, "b"));
        clipc_arena_free(&arena);
        free(exact);
    }
}

/* --- What would run code --- */

static void test_forbidden(void **state)
{
    (void)state;
    FORBIDDEN("cos\nsystem\n(S'x'\ntR.", "asks for os.system");
    FORBIDDEN("cposix\nsystem\n(S'x'\ntR.", "asks for posix.system");
    FORBIDDEN("c__builtin__\neval\n(S'x'\ntR.", "asks for __builtin__.eval");
    FORBIDDEN("cbuiltins\nexec\n(S'x'\ntR.", "asks for builtins.exec");
    FORBIDDEN("cbuiltins\ngetattr\n.", "asks for builtins.getattr");
    FORBIDDEN("\x80\x04\x8C\x08"
              "builtins\x8C\x04"
              "eval\x93.",
              "asks for builtins.eval");
    FORBIDDEN("(S'x'\nios\nsystem\n.", "asks for os.system");
    FORBIDDEN("(cos\nsystem\nS'x'\no.", "asks for os.system");
    FORBIDDEN("csubprocess\nPopen\n.", "asks for subprocess.Popen");
    FORBIDDEN("cnumpy.core.multiarray\n_reconstruct\n.",
              "asks for numpy.core.multiarray._reconstruct");
    FORBIDDEN("cnumpy._core.multiarray\nscalar\n.", "asks for numpy._core.multiarray.scalar");
    FORBIDDEN("ctorch.serialization\nload\n.", "asks for torch.serialization.load");
    FORBIDDEN("ctorch._utils\n_rebuild_tensor_v3\n.", "torch._utils._rebuild_tensor_v3");
    FORBIDDEN("cclip.model\nCLIP\n.", "asks for clip.model.CLIP");
    FORBIDDEN("ccollections\nOrderedDict.pop\n.", "asks for collections.OrderedDict.pop");
    FORBIDDEN("c__torch__x\ny\n.", "asks for __torch__x.y");
}

static void test_unknown_opcodes(void **state)
{
    (void)state;
    FORBIDDEN("P0\n.", "opcode 0x50 at byte 0");
    FORBIDDEN("N\x82\1.", "opcode 0x82 at byte 1"); /* the extension registry */
    FORBIDDEN("\x83\1\0.", "opcode 0x83");
    FORBIDDEN("\x84\1\0\0\0.", "opcode 0x84");
    FORBIDDEN("(o.", "opcode 0x6f");
    FORBIDDEN("N)}\x92.", "opcode 0x92");
    FORBIDDEN("\x97.", "opcode 0x97"); /* buffers outside the pickle */
    FORBIDDEN("\xFF.", "opcode 0xff");
    FORBIDDEN("(icollections\nOrderedDict\n.", "opcode 'i' at byte 1");
    MALFORMED("\x80\x06.", "unknown protocol");
}

/* --- Malformed --- */

static void test_stack(void **state)
{
    (void)state;
    MALFORMED("", "cut short");
    MALFORMED(".", "no result");
    MALFORMED("(.", "no result");
    MALFORMED("N", "cut short"); /* no STOP */
    MALFORMED("0.", "stack is too short");
    MALFORMED("(0.", "stack is too short");
    MALFORMED("2.", "stack is too short");
    MALFORMED("1.", "no mark");
    MALFORMED("t.", "no mark");
    MALFORMED("e.", "no mark");
    MALFORMED("Nt.", "no mark");
    MALFORMED("\x85.", "stack is too short");
    MALFORMED("N(N\x87.", "stack is too short");
    MALFORMED("a.", "stack is too short");
    MALFORMED("Na.", "stack is too short");
    MALFORMED("NNa.", "does not take them");
    MALFORMED("](a.", "mark is used as a value");
    MALFORMED("}NNNs.", "does not take them");
    MALFORMED("}(Nu.", "key without a value");
    MALFORMED("(Nd.", "key without a value");
    MALFORMED("(u.", "stack is too short");
    MALFORMED("((e.", "does not take them");
    MALFORMED("R.", "no global");
    MALFORMED("NNR.", "no global");
    MALFORMED("ccollections\nOrderedDict\nNR.", "no tuple of arguments");
    MALFORMED("ccollections\nOrderedDict\n(NtR.", "takes a list");
    MALFORMED("ccollections\nOrderedDict\n((NltR.", "takes pairs");
    MALFORMED("ccollections\nOrderedDict\n(((NtltR.", "takes pairs");
    MALFORMED("Nb.", "takes none");
    MALFORMED("NNb.", "takes none");
    MALFORMED("NN\x93.", "no text");
    MALFORMED("Q.", "stack is too short");
    MALFORMED("(Q.", "stack is too short");
}

static void test_texts_and_numbers(void **state)
{
    (void)state;
    MALFORMED("I\n.", "number was expected");
    MALFORMED("Ix\n.", "number was expected");
    MALFORMED("I99999999999999999999\n.", "number was expected");
    MALFORMED("I12", "number was expected");
    MALFORMED("Lx\n.", "number was expected");
    MALFORMED("S\n.", "quoted string");
    MALFORMED("Sab\n.", "quoted string");
    MALFORMED("S'ab\n.", "quoted string");
    MALFORMED("S'\n.", "quoted string");
    MALFORMED("Vab", "cut short");
    MALFORMED("cos\nsystem", "cut short");
    MALFORMED("cos", "cut short");
    MALFORMED("X\5\0\0\0ab.", "cut short");
    MALFORMED("X\xFF\xFF\xFF\xFF.", "cut short");
    MALFORMED("\x8D\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF.", "cut short");
    MALFORMED("\x8E\0\0\0\0\0\0\0\x80.", "cut short");
    MALFORMED("\x96\1\0\0\0\0\0\0\0", "cut short");
    MALFORMED("\x8A\x05.", "cut short");
    MALFORMED("\x8B\xFF\xFF\xFF\xFF.", "cut short");
    MALFORMED("G\0\0.", "cut short");
    MALFORMED("J\0\0.", "cut short");
    MALFORMED("M\0", "cut short");
    MALFORMED("\x95\0\0.", "cut short");
}

static void test_memo(void **state)
{
    (void)state;
    MALFORMED("p0\n.", "stack is too short");
    MALFORMED("(q\0.", "stack is too short");
    MALFORMED("h\0.", "never put");
    MALFORMED("Nq\5h\4.", "never put");
    MALFORMED("g-1\n.", "memo index was expected");
    MALFORMED("Np-1\n.", "memo index was expected");
    MALFORMED("j\xFF\xFF\xFF\xFF.", "never put");
    REFUSED("Nr\xFF\xFF\xFF\xFF.", CLIPC_ERROR_LIMIT, "more than 1000 values");
    REFUSED("Np9223372036854775807\n.", CLIPC_ERROR_LIMIT, "more than 1000 values");
}

/* --- Bombs: small pickles that would grow without bounds --- */

/* `head`, `count` times `body`, `tail`. */
static void assert_bomb(const char *head, const char *body, size_t count, const char *tail)
{
    clipc_byte_buffer pickle = {0};

    clipc_buffer_append_text(&pickle, head);
    for (size_t i = 0; i < count; i++)
        clipc_buffer_append_text(&pickle, body);
    clipc_buffer_append_text(&pickle, tail);
    assert_false(pickle.failed);
    assert_pickle_refused(pickle.bytes, pickle.size, CLIPC_ERROR_LIMIT, "more than 1000 values");
    clipc_buffer_free(&pickle);
}

static void test_bombs(void **state)
{
    (void)state;
    assert_bomb("", "N", 2000, ".");
    assert_bomb("", "(", 2000, ".");
    assert_bomb("N", "2", 2000, ".");         /* one value, many places on the stack */
    assert_bomb("]", "2a", 2000, ".");        /* a list that takes itself again and again */
    assert_bomb("Np0\n0", "g0\n", 2000, "."); /* the same through the memo */
    /* A dict of seventeen pairs, copied again and again. */
    assert_bomb("ccollections\nOrderedDict\np0\n0(((Vk\nNtp1\n"
                "g1\ng1\ng1\ng1\ng1\ng1\ng1\ng1\ng1\ng1\ng1\ng1\ng1\ng1\ng1\ng1\n"
                "ltp2\n0",
                "g0\ng2\nR0", 100, "N.");
}

/* What holds itself is read; walking it is bounded elsewhere. */
static void test_recursion(void **state)
{
    static const char pickle[] = "]p0\ng0\nag0\na.";
    uint8_t *exact = exact_copy(pickle, sizeof(pickle) - 1);
    clipc_arena arena = {0};
    clipc_pickle_value *value;
    clipc_error error;

    (void)state;
    assert_int_equal(
        clipc_pickle_read(&value, &arena, exact, sizeof(pickle) - 1, &options, NULL, &error),
        CLIPC_OK);
    assert_ptr_equal(value->items[0], value);
    assert_int_equal(value->count, 2);
    clipc_arena_free(&arena);
    free(exact);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_values),    cmocka_unit_test(test_dicts),
        cmocka_unit_test(test_forbidden), cmocka_unit_test(test_unknown_opcodes),
        cmocka_unit_test(test_stack),     cmocka_unit_test(test_texts_and_numbers),
        cmocka_unit_test(test_memo),      cmocka_unit_test(test_bombs),
        cmocka_unit_test(test_recursion),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

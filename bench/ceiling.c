/* SPDX-License-Identifier: MIT */
/*
 * What an x86 processor's arithmetic can do at most: chains of one instruction, no memory.
 *
 *     ceiling THREADS
 *
 * Prints one JSON object a precision, {"dtype","instructions","threads","gflops"}: the best of some
 * short runs, all threads at once, a multiplication and an addition counted as two. A precision
 * whose instructions are missing is left out. compare.py builds and runs it.
 */
#define _POSIX_C_SOURCE 200809L
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

/* A trial takes about a millisecond: few are cut short where the processor is shared. */
enum { CHAINS = 10, STEPS = 1 << 18, TRIALS = 200, MAX_THREADS = 256 };

/*
 * Ten accumulators, 0 to 9: more than latency times issue width, which is eight. 14 and 15 are
 * operands.
 */
/* clang-format off */
#define TEN(STEP, instruction, v) \
    STEP(instruction, v, "0") STEP(instruction, v, "1") STEP(instruction, v, "2") \
    STEP(instruction, v, "3") STEP(instruction, v, "4") STEP(instruction, v, "5") \
    STEP(instruction, v, "6") STEP(instruction, v, "7") STEP(instruction, v, "8") \
    STEP(instruction, v, "9")
/* clang-format on */
#define ONE(instruction, v, k) instruction " %%" v "14, %%" v "15, %%" v k "\n\t"
/* Products of bytes summed in pairs to 16 bits, in pairs again to 32, added. */
#define THREE(instruction, v, k)                                                                   \
    "vpmaddubsw %%" v "14, %%" v "15, %%" v "13\n\t"                                               \
    "vpmaddwd %%" v "14, %%" v "13, %%" v "13\n\t"                                                 \
    "vpaddd %%" v "13, %%" v k ", %%" v k "\n\t"
#define REPEAT(text)                                                                               \
    do {                                                                                           \
        __asm__ volatile("vzeroall" ::: "memory");                                                 \
        for (int i = 0; i < STEPS; i++)                                                            \
            __asm__ volatile(text ::                                                               \
                                 : "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7", \
                                   "xmm8", "xmm9", "xmm13", "xmm14", "xmm15");                     \
    } while (0)

static void f32_256(void)
{
    REPEAT(TEN(ONE, "vfmadd231ps", "ymm"));
}

static void f32_512(void)
{
    REPEAT(TEN(ONE, "vfmadd231ps", "zmm"));
}

static void bf16_512(void)
{
    REPEAT(TEN(ONE, "vdpbf16ps", "zmm"));
}

static void int8_512(void)
{
    REPEAT(TEN(ONE, "vpdpbusd", "zmm"));
}

static void int8_256(void)
{
    REPEAT(TEN(THREE, "", "ymm"));
}

typedef struct loop {
    const char *dtype, *instructions;
    void (*run)(void);
    double flop; /* of one step of one chain */
} loop;

typedef struct job {
    const loop *loop;
    pthread_barrier_t *barrier;
    double gflops[TRIALS]; /* of this thread */
} job;

static double now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static void *work(void *data)
{
    job *own = data;

    for (int i = 0; i < TRIALS; i++) {
        double start;

        pthread_barrier_wait(own->barrier);
        start = now();
        own->loop->run();
        own->gflops[i] = 1e-9 * own->loop->flop * CHAINS * STEPS / (now() - start);
    }
    return NULL;
}

/* Fills loops with the best of each precision that this processor has. */
static int choose(loop *loops)
{
    int n = 0;

    __builtin_cpu_init();
    if (__builtin_cpu_supports("avx512f"))
        loops[n++] = (loop){"f32", "512-bit vfmadd", f32_512, 32.0};
    else if (__builtin_cpu_supports("fma"))
        loops[n++] = (loop){"f32", "256-bit vfmadd", f32_256, 16.0};
    if (__builtin_cpu_supports("avx512bf16"))
        loops[n++] = (loop){"bf16", "512-bit vdpbf16ps", bf16_512, 64.0};
    if (__builtin_cpu_supports("avx512vnni"))
        loops[n++] = (loop){"int8", "512-bit vpdpbusd", int8_512, 128.0};
    else if (__builtin_cpu_supports("avx2"))
        loops[n++] = (loop){"int8", "256-bit vpmaddubsw, vpmaddwd, vpaddd", int8_256, 64.0};
    return n;
}

/* The best trial's sum over the threads; 0 when threads cannot be started. */
static double measure(const loop *l, unsigned threads)
{
    static job jobs[MAX_THREADS];
    pthread_t ids[MAX_THREADS];
    pthread_barrier_t barrier;
    double best = 0.0;

    if (pthread_barrier_init(&barrier, NULL, threads))
        return 0.0;
    for (unsigned i = 0; i < threads; i++) {
        jobs[i] = (job){.loop = l, .barrier = &barrier};
        if (pthread_create(&ids[i], NULL, work, &jobs[i]))
            exit(1);
    }
    for (unsigned i = 0; i < threads; i++)
        pthread_join(ids[i], NULL);
    pthread_barrier_destroy(&barrier);
    for (int trial = 0; trial < TRIALS; trial++) {
        double sum = 0.0;

        for (unsigned i = 0; i < threads; i++)
            sum += jobs[i].gflops[trial];
        best = sum > best ? sum : best;
    }
    return best;
}

int main(int argc, char **argv)
{
    loop loops[3];
    int threads = argc > 1 ? atoi(argv[1]) : 1, n = choose(loops);

    if (threads < 1 || threads > MAX_THREADS) {
        fprintf(stderr, "ceiling: THREADS: expected 1 to %d\n", MAX_THREADS);
        return 2;
    }
    for (int i = 0; i < n; i++)
        printf("{\"dtype\":\"%s\",\"instructions\":\"%s\",\"threads\":%d,\"gflops\":%.1f}\n",
               loops[i].dtype, loops[i].instructions, threads,
               measure(&loops[i], (unsigned)threads));
    return 0;
}

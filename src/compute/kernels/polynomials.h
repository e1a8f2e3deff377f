/* SPDX-License-Identifier: MIT */
/*
 * How exp and erf are approximated in float32 wherever registers hold several floats; levels differ
 * in their width alone. Tests hold the error bounds over a dense sweep of floats. Coefficients
 * stand as Horner's rule takes them, the highest power first.
 *
 * exp(x), within 1 unit in the last place where the result is a normal number; 0 below, infinity
 * above, NaN for NaN:
 *
 * x = n ln 2 + r with |r| <= ln 2 / 2. ln 2 is taken away in two parts, the first with so few bits
 * that n times it is exact. exp(r) = 1 + r + r^2 P(r), P of degree 4 by minimax (relative error
 * 3.1e-9). 2^n is multiplied by an instruction for it, or in two halves, so that neither overflows
 * before the result does.
 *
 * erf(x), within 2e-7 of the truth: up to 1 it is x P(x^2) by minimax (relative error 1.2e-9),
 * beyond it 1 - exp(Q(|x|)), Q fitted to log(erfc) up to 4, where the result is 1 in float32.
 */
#ifndef CLIPC_COMPUTE_KERNELS_POLYNOMIALS_H
#define CLIPC_COMPUTE_KERNELS_POLYNOMIALS_H

#define CLIPC_EXP_LOWEST (-104.0f)
#define CLIPC_EXP_HIGHEST 89.0f
#define CLIPC_LOG2_E 0x1.715476p0f
#define CLIPC_LN2_HIGH 0x1.62e4p-1f
#define CLIPC_LN2_LOW 0x1.7f7d1cp-20f

/* P of exp */
static const float clipc_exp_p[] = {
    0x1.6a23d0p-10f, 0x1.123a20p-7f, 0x1.5558f2p-5f, 0x1.555492p-3f, 0x1.fffffcp-2f,
};

#define CLIPC_ERF_SMALL 1.0f
#define CLIPC_ERF_HIGHEST 4.0f

/* P and Q of erf */
static const float clipc_erf_p[] = {
    0x1.496a40p-14f, -0x1.a3f704p-11f, 0x1.5405b2p-8f, -0x1.b7f90ep-6f,
    0x1.ce2cf8p-4f,  -0x1.81273ep-2f,  0x1.20dd74p0f,
};

static const float clipc_erf_q[] = {
    0x1.852d2ap-13f, -0x1.814cc8p-9f, 0x1.65421ap-6f,   -0x1.a60a7ep-4f,
    -0x1.46c584p-1f, -0x1.2085b2p0f,  -0x1.72e780p-12f,
};

#define CLIPC_QUICKGELU_SLOPE 1.702f
#define CLIPC_SQRT_HALF 0.70710678118654752f

#endif

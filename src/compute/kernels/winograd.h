/* SPDX-License-Identifier: MIT */
/*
 * The numbers of Winograd's minimal filtering F(4, 3) (Lavin and Gray 2015, arXiv:1509.09308): four
 * outputs of a filter of three from six inputs by six products instead of twelve. In two dimensions
 * everything happens first to columns, then to rows.
 *
 * A polynomial product is interpolated at 0, +-a, +-b and infinity. With a = 1/sqrt 2, b = sqrt 2
 * the powers stay close to 1 and float32 loses half as much as at the customary 1 and 2 (about one
 * bit to the direct sum, measured in tests/ops/test_winograd.c). a b = 1, and then
 *
 *     outputs  y = A^T ((G g) * (B^T x))
 *
 *     B^T = [ 1   0   -5/2    0    1   0 ]    G = [   1       0       0   ]
 *           [ 0  -2a   -2     a    1   0 ]        [ -2/3   -2a/3    -1/3  ]
 *           [ 0   2a   -2    -a    1   0 ]        [ -2/3    2a/3    -1/3  ]
 *           [ 0  -b/2  -1/2   b    1   0 ]        [  1/6     b/6     1/3  ]
 *           [ 0   b/2  -1/2  -b    1   0 ]        [  1/6    -b/6     1/3  ]
 *           [ 0   1     0   -5/2   0   1 ]        [   0       0       1   ]
 *
 *     A^T = [ 1    1      1     1     1    0 ]
 *           [ 0    a     -a     b    -b    0 ]
 *           [ 0   1/2    1/2    2     2    0 ]
 *           [ 0   a/2   -a/2    2b   -2b   1 ]
 */
#ifndef CLIPC_COMPUTE_KERNELS_WINOGRAD_H
#define CLIPC_COMPUTE_KERNELS_WINOGRAD_H

#define CLIPC_WINOGRAD_A 0.70710678118654752
#define CLIPC_WINOGRAD_B 1.41421356237309505

#endif

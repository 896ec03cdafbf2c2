#pragma once

// Derivatives in double with the error of a single power of e and one rounding: below 2 ulp, at the
// scale of the larger term if there are two. NaN for NaN.

// x times the normal distribution function, with a small relative error even where it is nearly 0,
// and its derivative.
double norma_gelu(double x);
double norma_gelu_slope(double x);

// The derivatives of 1 / (1 + e^-x), x / (1 + e^-x), x tanh(log(1 + e^x)), tanh x, x - tanh x, x /
// (1 + |x|) and erf x.
double norma_sigmoid_slope(double x);
double norma_silu_slope(double x);
double norma_mish_slope(double x);
double norma_tanh_slope(double x);
double norma_tanh_squared(double x);
double norma_softsign_slope(double x);
double norma_erf_slope(double x);

// a / (a^2 + b^2), and 0 at the origin.
double norma_angle_slope(double a, double b);

// e^a / (e^a + e^b), and the same of powers of 2.
double norma_exp_share(double a, double b);
double norma_exp2_share(double a, double b);

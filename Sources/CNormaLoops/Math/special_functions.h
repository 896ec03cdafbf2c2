#pragma once

// Special functions in double, one value at a time; NaN for NaN and outside of their domains.

// The x with erf x = y; infinite at -1 and 1.
double norma_erfinv(double y);

// log |gamma(x)|; infinite at 0 and at negative integers.
double norma_lgamma(double x);

// The derivative of lgamma: -infinity at 0 (infinity at -0), NaN at negative integers.
double norma_digamma(double x);

// The derivative of digamma; infinite at 0 and very large at negative integers.
double norma_trigamma(double x);

// Hurwitz's zeta function, the sum of (q + k)^-s over k from 0; s above 1.
double norma_zeta(double s, double q);

// The modified Bessel function of order 0 or 1, times e^-|x| if scaled.
double norma_bessel(int order, double x, int scaled);

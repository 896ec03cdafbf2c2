// Modified Bessel functions of floats, computed in double and rounded once; included after
// wide_math_body.h, under the same rules.

// I0(x) = p(z) and I1(x) = x p(z), z = x^2, below 8; from there e^x q(t) / root(x), t = 8 / x.
// Without the factor e^|x| if `scaled`. For |x|, and NaN.
MATH_INLINE LEVEL(wide_bessel)(
    const MATH_DOUBLES *from, int order, int scaled, MATH_DOUBLES *result) {
  // Above 92 the unscaled results are infinite in float.
  MATH_DOUBLES x = scaled ? *from : WIDE_SELECT(*from > 100.0, WIDE(100.0), *from);
  MATH_LONGS far = (MATH_LONGS)~(x < 8.0);
  MATH_DOUBLES z = WIDE_SELECT(far, WIDE(0.0), x * x), near, y;
  if (order == 0) {
    near = z * 0x1.4053feef9548ep-63 + 0x1.6f55bee788f8ap-56;
    near = near * z + 0x1.6acb753d019cep-47;
    near = near * z + 0x1.4dd94615781ebp-39;
    near = near * z + 0x1.035fee73b89a7p-31;
    near = near * z + 0x1.23357961fcf75p-24;
    near = near * z + 0x1.c71ef6bf7ae2dp-18;
    near = near * z + 0x1.c71c39b54fa65p-12;
    near = near * z + 0x1.00000252522f2p-6;
    near = near * z + 0x1.ffffffba15488p-3;
    near = near * z + 0x1.0000000134bb0p+0;
  } else {
    near = z * 0x1.c2e0adadb566fp-68 + 0x1.36be16fdacc94p-60;
    near = near * z + 0x1.3e837856b6860p-51;
    near = near * z + 0x1.4ede79f4c0126p-43;
    near = near * z + 0x1.2845b26f3f031p-35;
    near = near * z + 0x1.844ebbab03010p-28;
    near = near * z + 0x1.6c17f14b0572bp-21;
    near = near * z + 0x1.c71c54821b96ap-15;
    near = near * z + 0x1.555556b5bfe5ep-9;
    near = near * z + 0x1.ffffffe7a856dp-5;
    near = near * z + 0x1.0000000042041p-1;
    near = x * near;
  }
  if (scaled) {
    MATH_DOUBLES power = -x * WIDE_LOG2_E, e;
    LEVEL(wide_exp2)(&power, &e);
    near = near * e;
  }
  if (__builtin_reduce_or(far)) {
    MATH_DOUBLES t = 8.0 / x;
    if (order == 0) {
      y = t * -0x1.39844511c9afdp-27 + 0x1.1412a58216f1cp-18;
      y = y * t - 0x1.eee33abffde34p-18;
      y = y * t + 0x1.5d5655a59fe7fp-17;
      y = y * t + 0x1.e8ebf91bb1d80p-18;
      y = y * t + 0x1.e653616aea080p-15;
      y = y * t + 0x1.cb77bf89706a8p-12;
      y = y * t + 0x1.988468498be6cp-8;
      y = y * t + 0x1.9884533ca42cfp-2;
    } else {
      y = t * -0x1.51aee01c308dbp-23 - 0x1.0b8189ef54952p-18;
      y = y * t + 0x1.e84ee0563d884p-18;
      y = y * t - 0x1.79a7c79b40de9p-17;
      y = y * t - 0x1.57c3454119404p-17;
      y = y * t - 0x1.531efec9e86e0p-14;
      y = y * t - 0x1.7eec875e2c9e7p-11;
      y = y * t - 0x1.32634419521f0p-6;
      y = y * t + 0x1.9884533df0f01p-2;
    }
    y = y / __builtin_elementwise_sqrt(x);
    if (!scaled) {
      MATH_DOUBLES power = x * WIDE_LOG2_E, e;
      LEVEL(wide_exp2)(&power, &e);
      y = y * e;
    }
    near = WIDE_SELECT(far, y, near);
  }
  *result = near;
}

#define MATH_BESSEL(name, order, scaled)                                                   \
  MATH_INLINE LEVEL(name##_lanes)(const float *from, float *to) {                          \
    MATH_INTS sign = MATH_SIGN(*(const MATH_OPERAND *)from) & -(order);                    \
    MATH_DOUBLES size = WIDE_SIZE(WIDE_LOAD(from)), y;                                     \
    LEVEL(wide_bessel)(&size, order, scaled, &y);                                          \
    WIDE_STORE(to, y, sign);                                                               \
  }                                                                                        \
  MATH_LOOP(name)
MATH_BESSEL(i0, 0, 0)
MATH_BESSEL(i0e, 0, 1)
MATH_BESSEL(i1, 1, 0)
MATH_BESSEL(i1e, 1, 1)

package io.llmap.embed;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.DoubleRange;

class PowerTableTest {
  @Property
  void agreesWithStrictMath(
      @ForAll @DoubleRange(min = -60, max = 60) double logarithm,
      @ForAll @DoubleRange(min = 0.2, max = 2.5) double b,
      @ForAll @DoubleRange(min = 0.01, max = 50) double factor) {
    double x = StrictMath.exp(logarithm);
    double expected = factor * StrictMath.pow(x, b);

    assertThat(new PowerTable(factor, b).of(x)).isCloseTo(expected, within(1e-13 * expected));
  }
}

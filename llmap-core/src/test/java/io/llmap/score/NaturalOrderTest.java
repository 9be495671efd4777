package io.llmap.score;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import net.jqwik.api.Example;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.Chars;
import net.jqwik.api.constraints.StringLength;

class NaturalOrderTest {
  @Example
  void numbersAreComparedAsNumbers() {
    List<String> names = List.of("m-1.4b", "m-2b", "m-12b", "m-012b", "m-70m", "n", "m", "10", "9");
    assertThat(names.stream().sorted(NaturalOrder.INSTANCE))
        .containsExactly("9", "10", "m", "m-1.4b", "m-2b", "m-012b", "m-12b", "m-70m", "n");
  }

  @Property
  void isATotalOrder(
      @ForAll @StringLength(max = 5) @Chars({'0', '1', '2', 'a', '-'}) String a,
      @ForAll @StringLength(max = 5) @Chars({'0', '1', '2', 'a', '-'}) String b,
      @ForAll @StringLength(max = 5) @Chars({'0', '1', '2', 'a', '-'}) String c) {
    NaturalOrder order = NaturalOrder.INSTANCE;
    assertThat(Integer.signum(order.compare(a, b))).isEqualTo(-Integer.signum(order.compare(b, a)));
    assertThat(order.compare(a, b) == 0).isEqualTo(a.equals(b));
    if (order.compare(a, b) < 0 && order.compare(b, c) < 0) {
      assertThat(order.compare(a, c)).isNegative();
    }
  }
}

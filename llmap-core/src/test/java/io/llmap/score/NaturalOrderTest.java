package io.llmap.score;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import org.junit.jupiter.api.Test;

class NaturalOrderTest {
  @Test
  void numbersInNamesCountAsNumbers() {
    List<String> sorted =
        List.of(
            "",
            "a",
            "a1",
            "a01b",
            "a1b",
            "a2",
            "a10",
            "a99999999999999999999",
            "a100000000000000000000",
            "b",
            "pythia-70m",
            "pythia-70m-deduped",
            "pythia-410m",
            "pythia-1000m",
            "é");
    List<String> shuffled = new ArrayList<>(sorted);
    Collections.shuffle(shuffled, new Random(1));
    shuffled.sort(NaturalOrder.INSTANCE);
    assertThat(shuffled).isEqualTo(sorted);
  }

  @Provide
  Arbitrary<String> names() {
    return Arbitraries.strings().withChars("a0129b-").ofMaxLength(5);
  }

  @Property(tries = 5000)
  void orderIsTotal(
      @ForAll("names") String a, @ForAll("names") String b, @ForAll("names") String c) {
    NaturalOrder order = NaturalOrder.INSTANCE;
    assertThat(Integer.signum(order.compare(a, b))).isEqualTo(-Integer.signum(order.compare(b, a)));
    assertThat(order.compare(a, b) == 0).isEqualTo(a.equals(b));
    if (order.compare(a, b) <= 0 && order.compare(b, c) <= 0) {
      assertThat(order.compare(a, c)).isLessThanOrEqualTo(0);
    }
  }
}

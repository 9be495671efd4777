package io.llmap.examples;

import java.util.Arrays;
import picocli.CommandLine.TypeConversionException;

/** Values of options that are written as their labels, not as their names in Java. */
final class Labels {
  private Labels() {}

  /**
   * Finds the value with a label.
   *
   * @param values what there is
   * @param label what was written
   * @return the value whose {@code toString} it is
   * @throws TypeConversionException if there is none, with the list of those that there are
   */
  static <T> T find(T[] values, String label) {
    for (T value : values) {
      if (value.toString().equals(label)) {
        return value;
      }
    }
    throw new TypeConversionException("\"" + label + "\" is none of " + Arrays.toString(values));
  }
}

package io.llmap.cuda;

import java.io.ByteArrayOutputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/**
 * The kernels of {@code log_prob.cu}, compiled by g++ and run on the CPU by the emulator in {@code
 * src/test/native}. Every launch runs twice, on two placements of its buffers between unreadable
 * pages, and gives both results.
 *
 * @param order of the turns of a block's threads: 0 ascending, 1 descending, others shuffled
 * @param exp2Error the relative error of every exp2f, in units of 2^-23
 */
record EmulatedKernels(Path program, int order, double exp2Error) {
  private static final Path SOURCES = Path.of("src/test/native");
  private static final Path KERNELS = Path.of("src/main/resources/io/llmap/cuda");

  static final int BLOCK = 256;

  private static final class Compiled {
    static final Path PROGRAM = compile();
  }

  /** Skips the calling test, and prints why, where there is no g++ or no Linux. */
  static EmulatedKernels compiled() {
    CommandLine.assume(
        System.getProperty("os.name").equals("Linux"), "the emulator's fibres need Linux");
    CommandLine.assumeAvailable("g++");
    return new EmulatedKernels(Compiled.PROGRAM, 0, 0);
  }

  EmulatedKernels withOrder(int turns) {
    return new EmulatedKernels(program, turns, exp2Error);
  }

  EmulatedKernels withExp2Error(double units) {
    return new EmulatedKernels(program, order, units);
  }

  /** A kernel argument as the emulator reads it. */
  sealed interface Argument {
    record Int(int value) implements Argument {}

    record Long(long value) implements Argument {}

    record Input(ByteBuffer bytes) implements Argument {}

    /** Two halves of a buffer whose starts lie so many bytes apart, with nothing between. */
    record FarInput(long distance, ByteBuffer halves) implements Argument {}

    record Output(long size) implements Argument {}
  }

  static Argument i(int value) {
    return new Argument.Int(value);
  }

  static Argument l(long value) {
    return new Argument.Long(value);
  }

  static Argument in(ByteBuffer bytes) {
    return new Argument.Input(bytes);
  }

  static Argument farIn(long distance, ByteBuffer halves) {
    return new Argument.FarInput(distance, halves);
  }

  static Argument in(int... values) {
    ByteBuffer bytes = buffer(4L * values.length);
    bytes.asIntBuffer().put(values);
    return in(bytes);
  }

  static Argument in(float... values) {
    ByteBuffer bytes = buffer(4L * values.length);
    bytes.asFloatBuffer().put(values);
    return in(bytes);
  }

  static Argument in(double... values) {
    ByteBuffer bytes = buffer(8L * values.length);
    bytes.asDoubleBuffer().put(values);
    return in(bytes);
  }

  static Argument out(long size) {
    return new Argument.Output(size);
  }

  static ByteBuffer buffer(long size) {
    return ByteBuffer.allocate(Math.toIntExact(size)).order(ByteOrder.nativeOrder());
  }

  static double[] doubles(ByteBuffer bytes) {
    double[] values = new double[bytes.remaining() / 8];
    bytes.asDoubleBuffer().get(values);
    return values;
  }

  /**
   * The one output of a kernel, for both placements of its buffers.
   *
   * @throws EmulationException if the emulator found a fault
   */
  List<ByteBuffer> run(String kernel, int gridX, int gridY, Argument... arguments) {
    CommandLine.Result result =
        CommandLine.run(List.of(program.toString()), request(kernel, gridX, gridY, arguments));
    if (result.status() != 0) {
      throw new EmulationException(kernel + ": " + result.errors().strip());
    }
    int half = result.output().length / 2;
    return List.of(part(result.output(), 0, half), part(result.output(), half, half));
  }

  private static ByteBuffer part(byte[] bytes, int from, int length) {
    return buffer(length).put(bytes, from, length).flip();
  }

  private byte[] request(String kernel, int gridX, int gridY, Argument... arguments) {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    try (NativeStream out = new NativeStream(bytes)) {
      byte[] name = kernel.getBytes(StandardCharsets.US_ASCII);
      out.putInt(name.length);
      out.write(name);
      out.putInt(gridX);
      out.putInt(gridY);
      out.putInt(BLOCK);
      out.putInt(order);
      out.putLong(Double.doubleToRawLongBits(exp2Error));
      out.putInt(arguments.length);
      for (Argument argument : arguments) {
        if (argument instanceof Argument.Int number) {
          out.write('i');
          out.putInt(number.value());
        } else if (argument instanceof Argument.Long number) {
          out.write('l');
          out.putLong(number.value());
        } else if (argument instanceof Argument.Input input) {
          out.write('b');
          out.putLong(input.bytes().remaining());
          out.write(input.bytes().array());
        } else if (argument instanceof Argument.FarInput input) {
          out.write('f');
          out.putLong(input.distance());
          out.putLong(input.halves().remaining());
          out.write(input.halves().array());
        } else if (argument instanceof Argument.Output output) {
          out.write('o');
          out.putLong(output.size());
        }
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return bytes.toByteArray();
  }

  private static Path compile() {
    try {
      Path program = Files.createDirectories(Path.of("target/emulator")).resolve("emulate");
      CommandLine.Result result =
          CommandLine.run(
              List.of(
                  "g++",
                  "-std=c++17",
                  "-O2",
                  "-ffp-contract=off",
                  "-U_FORTIFY_SOURCE",
                  "-I" + SOURCES,
                  "-I" + KERNELS,
                  "-o",
                  program.toString(),
                  SOURCES.resolve("emulate.cpp").toString()),
              new byte[0]);
      if (result.status() != 0) {
        throw new IllegalStateException("g++ refuses the kernels:\n" + result.errors());
      }
      return program.toAbsolutePath();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Little-endian or big-endian as the machine is, which the emulator reads. */
  private static final class NativeStream extends DataOutputStream {
    NativeStream(OutputStream out) {
      super(out);
    }

    void putInt(int value) throws IOException {
      writeInt(
          ByteOrder.nativeOrder() == ByteOrder.BIG_ENDIAN ? value : Integer.reverseBytes(value));
    }

    void putLong(long value) throws IOException {
      writeLong(ByteOrder.nativeOrder() == ByteOrder.BIG_ENDIAN ? value : Long.reverseBytes(value));
    }
  }

  /** What the emulator found wrong with a kernel. */
  static final class EmulationException extends RuntimeException {
    private static final long serialVersionUID = 1;

    EmulationException(String message) {
      super(message);
    }
  }
}

package io.llmap.djl;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import ai.djl.engine.Engine;
import io.llmap.LlmapException.BackendUnavailableException;
import io.llmap.score.LogLikelihoodScorer;
import io.llmap.score.ModelSpec;
import io.llmap.score.ScorerOptions;
import io.llmap.testing.Tolerances;
import io.llmap.testing.models.GoldenText;
import io.llmap.testing.models.TinyModel;
import java.io.IOException;
import java.net.DatagramSocket;
import java.net.InetAddress;
import java.net.Socket;
import java.net.URI;
import java.nio.channels.Selector;
import java.nio.channels.SocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

/** In JVMs of their own: what matters is the first use in a process. */
class NetworkTest {
  private static final String SCORED = "scored as by PyTorch";

  @TempDir Path folder;

  @Test
  void aModelIsScoredWithoutTheNetwork() throws Exception {
    assertThat(child().run(FirstUse.class, "score")).containsExactly(SCORED);
  }

  @Test
  void aPropertyThatAsksForTheNetworkIsOverridden() throws Exception {
    assertThat(
            child()
                .option("-Dai.djl.offline=false")
                .option("-DOPT_OUT_TRACKING=false")
                .run(FirstUse.class, "score"))
        .containsExactly(SCORED);
  }

  @Test
  void anEnvironmentThatAsksForTheNetworkIsRefused() throws Exception {
    assertThat(child().variable("DJL_OFFLINE", "false").run(FirstUse.class, "score"))
        .singleElement()
        .asString()
        .startsWith("refused: the environment variable DJL_OFFLINE=false lets DJL use the network");
  }

  @Test
  @EnabledOnOs(value = OS.LINUX, disabledReason = "strace is a program of Linux")
  void theKernelSeesNoInternetAddress() throws Exception {
    assumeTrue(straceWorks(), "strace is missing or may not trace");
    Path log = folder.resolve("calls");
    ChildJvm traced =
        new ChildJvm().under("strace", "-f", "-qq", "-e", "trace=network", "-o", log.toString());
    assertThat(traced.run(FirstUse.class, "untrapped")).containsExactly(SCORED);
    // Sockets without an address are the Java runtime's, which asks for IPv6 in this way.
    assertThat(lines(log)).noneMatch(call -> call.contains("sa_family=AF_INET"));
    assertThat(traced.run(FirstUse.class, "datagram")).containsExactly("done");
    assertThat(lines(log)).anyMatch(call -> call.contains("sa_family=AF_INET"));
  }

  @Test
  void djlLeftAloneFallsIntoTheTrap() throws Exception {
    assertThat(child().run(FirstUse.class, "bare"))
        .anyMatch(line -> line.startsWith("network: http://169.254.169.254/"));
  }

  @Test
  void everyWayToTheNetworkFallsIntoTheTrap() throws Exception {
    assertThat(child().run(FirstUse.class, "ways"))
        .containsExactly(
            "network: http://127.0.0.1/",
            "network: socket",
            "network: socket channel",
            "network: selector",
            "done");
  }

  @Test
  @EnabledOnOs(value = OS.LINUX, disabledReason = "open sockets are read from /proc")
  void aNativeSocketFallsIntoTheTrap() throws Exception {
    assertThat(child().run(FirstUse.class, "native"))
        .containsExactly("network: open socket", "done");
  }

  private static ChildJvm child() {
    return new ChildJvm().option(NetworkTrap.OPTION);
  }

  private static List<String> lines(Path file) throws IOException {
    try (Stream<String> lines = Files.lines(file)) {
      return lines.toList();
    }
  }

  private static boolean straceWorks() throws InterruptedException {
    try {
      return new ProcessBuilder("strace", "-f", "-qq", "-e", "trace=network", "true")
              .redirectErrorStream(true)
              .redirectOutput(ProcessBuilder.Redirect.DISCARD)
              .start()
              .waitFor()
          == 0;
    } catch (IOException e) {
      return false;
    }
  }

  /** What the name of a way says; prints what the trap prints, and then what came of it. */
  static final class FirstUse {
    private FirstUse() {}

    public static void main(String[] args) throws Exception {
      switch (args[0]) {
        case "score" -> {
          NetworkTrap.install();
          score();
        }
        case "untrapped" -> score();
        case "bare" -> {
          NetworkTrap.install();
          Engine.getInstance();
        }
        case "ways" -> {
          NetworkTrap.install();
          ways();
          System.out.println("done");
        }
        case "native" -> {
          NetworkTrap.install();
          // Not by the channels of the property, so that only the watch can see it.
          DatagramSocket socket = new DatagramSocket();
          Thread.sleep(500);
          socket.close();
          System.out.println("done");
        }
        case "datagram" -> {
          try (DatagramSocket socket = new DatagramSocket()) {
            socket.connect(InetAddress.getLoopbackAddress(), 9);
          }
          System.out.println("done");
        }
        default -> throw new IllegalArgumentException(args[0]);
      }
    }

    private static void score() throws IOException {
      GoldenText golden = TinyModel.GPT2.goldens().get(0);
      double expected = Arrays.stream(golden.documentStart()).sum();
      ModelSpec spec = new ModelSpec("djl", Fixture.folder(TinyModel.GPT2), "gpt2");
      try (LogLikelihoodScorer scorer =
          new DjlScorerProvider().open(spec, ScorerOptions.defaults())) {
        scorer.score(
            List.of(golden.asText()),
            (n, score) -> {
              double difference = Math.abs(score.logLikelihood() - expected);
              System.out.println(
                  difference <= Tolerances.textAcrossRuntimes(expected)
                      ? SCORED
                      : "scored " + score.logLikelihood() + ", by PyTorch " + expected);
            });
      } catch (BackendUnavailableException e) {
        System.out.println("refused: " + e.getMessage());
      }
    }

    private static void ways() {
      attempt(() -> new URI("http://127.0.0.1/").toURL().openStream().close());
      attempt(() -> new Socket().close());
      attempt(() -> SocketChannel.open().close());
      attempt(() -> Selector.open().close());
    }

    private static void attempt(Way way) {
      try {
        way.go();
      } catch (Exception expected) {
        return;
      }
      System.out.println("a way is open");
    }
  }

  /** Something that opens a connection. */
  private interface Way {
    void go() throws Exception;
  }
}

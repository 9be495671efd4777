package io.llmap.cuda;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import jcuda.JCudaVersion;
import jcuda.LibUtils;
import org.jspecify.annotations.Nullable;

/** JCuda's native library, which needs the NVIDIA driver's. */
final class JCudaLibrary {
  private static final String DRIVER_CLASS = "jcuda.driver.JCudaDriver";
  private static final String TEMPORARY_FOLDER = "java.io.tmpdir";

  /** After the path of the library that did not load. */
  private static final Pattern CAUSE =
      Pattern.compile("UnsatisfiedLinkError: (?:.*\\.(?:so|dll): )?(.*)");

  private static boolean tried;
  private static @Nullable String problem;

  private JCudaLibrary() {}

  /**
   * Loads the library at the first call.
   *
   * @return why it cannot be used, and what to do; empty if it can
   */
  static synchronized Optional<String> problem() {
    if (!tried) {
      tried = true;
      try {
        initialize();
      } catch (LinkageError e) {
        problem = explain(messages(e), isOnClassPath());
      } catch (ClassNotFoundException | IOException e) {
        problem = "JCuda cannot be loaded: " + e;
      }
    }
    return Optional.ofNullable(problem);
  }

  /**
   * JCuda unpacks its library into the temporary folder under a fixed name, and takes whatever lies
   * there under that name: another user's file, or half of one that another process is writing. It
   * is given a folder of this process's own for that moment.
   */
  private static void initialize() throws ClassNotFoundException, IOException {
    String shared = System.getProperty(TEMPORARY_FOLDER);
    Path own = Files.createTempDirectory("llmap-jcuda");
    own.toFile().deleteOnExit();
    own.resolve(libraryFile()).toFile().deleteOnExit();
    try {
      System.setProperty(TEMPORARY_FOLDER, own.toString());
      Class.forName(DRIVER_CLASS, true, JCudaLibrary.class.getClassLoader());
    } finally {
      System.setProperty(TEMPORARY_FOLDER, shared);
    }
  }

  private static String libraryFile() {
    return LibUtils.createLibraryFileName(
        LibUtils.createPlatformLibraryName("JCudaDriver-" + JCudaVersion.get()));
  }

  private static boolean isOnClassPath() {
    return LibUtils.class.getResource("/lib/" + libraryFile()) != null;
  }

  /** The message is in a cause where an application tried before. */
  private static String messages(LinkageError error) {
    StringBuilder messages = new StringBuilder();
    for (Throwable e = error; e != null; e = e.getCause()) {
      messages.append(e.getMessage()).append('\n');
    }
    return messages.toString();
  }

  /**
   * Says what is missing. JCuda's message holds the stack traces of two attempts: the library
   * search path, then the copy that it unpacked.
   *
   * @param message of the error that JCuda threw
   * @param onClassPath whether the library for this platform is there
   */
  static String explain(String message, boolean onClassPath) {
    String cause = message.lines().findFirst().orElse("");
    Matcher matcher = CAUSE.matcher(message);
    while (matcher.find()) {
      cause = matcher.group(1);
    }
    if (message.contains("libcuda.so") || message.contains("dependent libraries")) {
      return "there is no NVIDIA driver (%s)".formatted(cause);
    }
    if (onClassPath) {
      return "JCuda's native library does not load (%s)".formatted(cause);
    }
    return "JCuda's native library for %s on %s is missing: add org.jcuda:jcuda-natives:%s with"
            .formatted(
                System.getProperty("os.name"), System.getProperty("os.arch"), JCudaVersion.get())
        + " the classifier linux-x86_64 or windows-x86_64";
  }
}

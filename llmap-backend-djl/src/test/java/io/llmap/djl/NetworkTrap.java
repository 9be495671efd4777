package io.llmap.djl;

import java.io.IOException;
import java.net.ProtocolFamily;
import java.net.Proxy;
import java.net.ProxySelector;
import java.net.Socket;
import java.net.SocketAddress;
import java.net.URI;
import java.net.URL;
import java.net.URLConnection;
import java.net.URLStreamHandler;
import java.nio.channels.DatagramChannel;
import java.nio.channels.Pipe;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.channels.spi.AbstractSelector;
import java.nio.channels.spi.SelectorProvider;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Prints every way to the network that is tried in this JVM, and lets those of Java fail. */
final class NetworkTrap {
  /** Puts the trap between channels, which HTTP clients use, and the network. */
  static final String OPTION =
      "-Djava.nio.channels.spi.SelectorProvider=" + Channels.class.getName();

  private static final Path DESCRIPTORS = Path.of("/proc/self/fd");
  private static final Pattern SOCKET = Pattern.compile("socket:\\[(\\d+)]");
  // The column, in the tables of sockets.
  private static final int INODE = 9;
  private static final int WATCH_MILLIS = 10;

  private NetworkTrap() {}

  // Deprecated is the installing of implementations that work; this one does not.
  @SuppressWarnings("deprecation")
  static void install() throws IOException {
    URL.setURLStreamHandlerFactory(
        protocol -> List.of("http", "https", "ftp").contains(protocol) ? new Urls() : null);
    ProxySelector.setDefault(new Proxies());
    Socket.setSocketImplFactory(
        () -> {
          throw new IllegalStateException(tripped("socket"));
        });
    if (Files.isDirectory(DESCRIPTORS)) {
      Thread watch = new Thread(NetworkTrap::watch, "socket watch");
      watch.setDaemon(true);
      watch.start();
    }
  }

  private static String tripped(String what) {
    System.out.println("network: " + what);
    return "no network in this test";
  }

  /** Native code's sockets too, if they are there for as long as it takes to look. */
  private static void watch() {
    Set<String> told = new HashSet<>();
    try {
      while (true) {
        for (String socket : sockets()) {
          if (told.add(socket)) {
            tripped("open socket");
          }
        }
        Thread.sleep(WATCH_MILLIS);
      }
    } catch (IOException | InterruptedException e) {
      tripped("unwatched: " + e);
    }
  }

  /**
   * Inodes of this process's sockets that have an address. Those without are the Java runtime's,
   * which asks for IPv6 in this way.
   */
  private static Set<String> sockets() throws IOException {
    Set<String> own = new HashSet<>();
    try (DirectoryStream<Path> descriptors = Files.newDirectoryStream(DESCRIPTORS)) {
      for (Path descriptor : descriptors) {
        try {
          Matcher socket = SOCKET.matcher(Files.readSymbolicLink(descriptor).toString());
          if (socket.matches()) {
            own.add(socket.group(1));
          }
        } catch (IOException closed) {
          // It is there no longer.
        }
      }
    }
    Set<String> addressed = new HashSet<>();
    if (!own.isEmpty()) {
      for (String table : List.of("tcp", "tcp6", "udp", "udp6")) {
        Path file = Path.of("/proc/self/net", table);
        if (Files.exists(file)) {
          for (String line : Files.readAllLines(file)) {
            String[] fields = line.strip().split("\\s+", -1);
            addressed.add(fields[INODE]);
          }
        }
      }
    }
    own.retainAll(addressed);
    return own;
  }

  private static final class Urls extends URLStreamHandler {
    @Override
    protected URLConnection openConnection(URL url) throws IOException {
      throw new IOException(tripped(url.toString()));
    }

    @Override
    protected URLConnection openConnection(URL url, Proxy proxy) throws IOException {
      return openConnection(url);
    }
  }

  private static final class Proxies extends ProxySelector {
    @Override
    public List<Proxy> select(URI uri) {
      throw new IllegalArgumentException(tripped(uri.toString()));
    }

    @Override
    public void connectFailed(URI uri, SocketAddress address, IOException e) {
      tripped(uri.toString());
    }
  }

  /** Named by a system property. */
  public static final class Channels extends SelectorProvider {
    /** Created by the Java runtime. */
    public Channels() {}

    @Override
    public DatagramChannel openDatagramChannel() throws IOException {
      throw new IOException(tripped("datagram channel"));
    }

    @Override
    public DatagramChannel openDatagramChannel(ProtocolFamily family) throws IOException {
      return openDatagramChannel();
    }

    @Override
    public Pipe openPipe() throws IOException {
      throw new IOException(tripped("pipe"));
    }

    @Override
    public AbstractSelector openSelector() throws IOException {
      throw new IOException(tripped("selector"));
    }

    @Override
    public ServerSocketChannel openServerSocketChannel() throws IOException {
      throw new IOException(tripped("server socket channel"));
    }

    @Override
    public SocketChannel openSocketChannel() throws IOException {
      throw new IOException(tripped("socket channel"));
    }
  }
}

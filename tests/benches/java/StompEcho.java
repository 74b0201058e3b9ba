import java.io.BufferedInputStream;
import java.io.BufferedOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/**
 * The floor for a gateway: an answerer that speaks bare STOMP, {@code StompEcho HOST PORT QUEUE individual|auto}; ends with its
 * standard input.
 *
 * With {@code individual} it promises what the gateway promises: it answers on a second connection, asks for a receipt, and
 * acknowledges a request when the receipt for its answer has come. With {@code auto} it promises nothing.
 */
public final class StompEcho {
    public static void main(String[] args) throws Exception {
        boolean individual = args[3].equals("individual");
        Link requests = new Link(args[0], Integer.parseInt(args[1]));
        Link answers = individual ? new Link(args[0], Integer.parseInt(args[1])) : requests;
        Map<String, String> unconfirmed = new ConcurrentHashMap<>();
        requests.send("SUBSCRIBE\nid:1\nack:" + (individual ? "client-individual" : "auto")
                + "\nactivemq.prefetchSize:1000\ndestination:/queue/" + args[2] + "\n\n", "");
        requests.flush();
        if (individual) {
            start(() -> confirm(answers, requests, unconfirmed));
        }
        start(() -> answer(requests, answers, individual ? unconfirmed : null));
        System.out.println("ready");
        while (System.in.read() >= 0) {
        }
        Runtime.getRuntime().halt(0);
    }

    private static void answer(Link requests, Link answers, Map<String, String> unconfirmed) throws IOException {
        for (long number = 1;; number++) {
            Frame request = requests.read();
            if (!request.command.equals("MESSAGE")) {
                throw new IOException(request.command + " " + request.headers + " " + request.body);
            }
            String frame = "SEND\ndestination:" + request.headers.get("reply-to") + "\ncorrelation-id:"
                    + request.headers.get("correlation-id") + "\n";
            if (unconfirmed != null) {
                unconfirmed.put(Long.toString(number), request.headers.get("ack"));
                frame += "receipt:" + number + "\n";
            }
            answers.send(frame + "\n", request.body);
            if (requests.isDry()) {
                answers.flush();
            }
        }
    }

    private static void confirm(Link answers, Link requests, Map<String, String> unconfirmed) throws IOException {
        while (true) {
            Frame receipt = answers.read();
            requests.send("ACK\nid:" + unconfirmed.remove(receipt.headers.get("receipt-id")) + "\n\n", "");
            if (answers.isDry()) {
                requests.flush();
            }
        }
    }

    private interface Work {
        void run() throws IOException;
    }

    private static void start(Work work) {
        new Thread(() -> {
            try {
                work.run();
            } catch (IOException problem) {
                System.err.println(problem);
                Runtime.getRuntime().halt(1);
            }
        }).start();
    }

    private record Frame(String command, Map<String, String> headers, String body) {
    }

    /** One connection, read by one thread and written by any. */
    private static final class Link {
        private final InputStream in;
        private final OutputStream out;
        private byte[] buffer = new byte[4096];

        Link(String host, int port) throws IOException {
            Socket socket = new Socket(host, port);
            socket.setTcpNoDelay(true);
            in = new BufferedInputStream(socket.getInputStream(), 65536);
            out = new BufferedOutputStream(socket.getOutputStream(), 65536);
            send("CONNECT\naccept-version:1.2\nhost:localhost\nheart-beat:0,0\n\n", "");
            flush();
            read();
        }

        synchronized void send(String head, String body) throws IOException {
            out.write(head.getBytes(StandardCharsets.UTF_8));
            out.write(body.getBytes(StandardCharsets.UTF_8));
            out.write(0);
        }

        synchronized void flush() throws IOException {
            out.flush();
        }

        /** Whether nothing more has come yet but the line feeds that may follow a frame. */
        boolean isDry() throws IOException {
            while (in.available() > 0) {
                in.mark(1);
                if (in.read() != '\n') {
                    in.reset();
                    return false;
                }
            }
            return true;
        }

        Frame read() throws IOException {
            String command = until('\n');
            while (command.isEmpty()) {
                command = until('\n');
            }
            Map<String, String> headers = new HashMap<>();
            for (String line = until('\n'); !line.isEmpty(); line = until('\n')) {
                int colon = line.indexOf(':');
                headers.putIfAbsent(line.substring(0, colon), line.substring(colon + 1).replace("\\c", ":"));
            }
            return new Frame(command, headers, until(0));
        }

        private String until(int end) throws IOException {
            int length = 0;
            for (int next = in.read(); next != end; next = in.read()) {
                if (next < 0) {
                    throw new IOException("the broker has closed the connection");
                }
                if (length == buffer.length) {
                    buffer = java.util.Arrays.copyOf(buffer, length * 2);
                }
                buffer[length++] = (byte) next;
            }
            return new String(buffer, 0, length, StandardCharsets.UTF_8);
        }
    }
}

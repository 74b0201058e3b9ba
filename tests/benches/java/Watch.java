import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import javax.jms.Connection;
import javax.jms.JMSException;
import javax.jms.Message;
import javax.jms.Session;
import javax.jms.TextMessage;
import org.apache.activemq.ActiveMQConnectionFactory;

/**
 * Clients that look on: {@code Watch URI TOPIC}, then lines on standard input.
 *
 * <pre>
 * open N     so many clients, with a connection each, subscribe; "open"
 * wait JOB   until each of them has seen this script end; the fewest lines of its output that one of them has seen
 * close      "closed"
 * </pre>
 */
public final class Watch {
    private static final String JOB = "\"job\":\"";
    private static final List<Client> CLIENTS = new ArrayList<>();

    public static void main(String[] args) throws Exception {
        ActiveMQConnectionFactory factory = new ActiveMQConnectionFactory(args[0]);
        BufferedReader lines = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.US_ASCII));
        for (String line = lines.readLine(); line != null; line = lines.readLine()) {
            String[] words = line.trim().split(" ");
            switch (words[0]) {
                case "open" -> System.out.println(open(factory, args[1], Integer.parseInt(words[1])));
                case "wait" -> System.out.println(await(words[1]));
                default -> System.out.println(close());
            }
        }
        Runtime.getRuntime().halt(0);
    }

    private static String open(ActiveMQConnectionFactory factory, String topic, int count) throws JMSException {
        for (int at = 0; at < count; at++) {
            CLIENTS.add(new Client(factory.createConnection(), topic));
        }
        return "open";
    }

    private static String await(String job) throws InterruptedException {
        int fewest = Integer.MAX_VALUE;
        for (Client client : CLIENTS) {
            fewest = Math.min(fewest, client.linesOf(job));
        }
        return Integer.toString(fewest);
    }

    private static String close() throws JMSException {
        for (Client client : CLIENTS) {
            client.connection.close();
        }
        CLIENTS.clear();
        return "closed";
    }

    private static final class Client {
        final Connection connection;
        private final Map<String, Integer> lines = new HashMap<>();
        private final Set<String> ended = new HashSet<>();

        Client(Connection connection, String topic) throws JMSException {
            this.connection = connection;
            Session session = connection.createSession(false, Session.AUTO_ACKNOWLEDGE);
            session.createConsumer(session.createTopic(topic)).setMessageListener(this::take);
            connection.start();
        }

        private void take(Message message) {
            try {
                take(((TextMessage) message).getText());
            } catch (JMSException problem) {
                System.err.println(problem);
            }
        }

        /** Those of the script before may still come. */
        private synchronized void take(String text) {
            int at = text.indexOf(JOB) + JOB.length();
            if (at < JOB.length()) {
                return;
            }
            String job = text.substring(at, text.indexOf('"', at));
            if (text.contains("\"kind\":\"log\"") && text.contains("\"level\":\"info\"")) {
                lines.merge(job, 1, Integer::sum);
            } else if (text.contains("\"state\":\"finished\"")) {
                ended.add(job);
                notifyAll();
            }
        }

        /** As many as it has seen when the script ended; 0 if it sees no end. */
        synchronized int linesOf(String job) throws InterruptedException {
            long end = System.nanoTime() + 60_000_000_000L;
            while (!ended.contains(job)) {
                long left = (end - System.nanoTime()) / 1_000_000;
                if (left <= 0) {
                    return 0;
                }
                wait(left);
            }
            return lines.getOrDefault(job, 0);
        }
    }
}

import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
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
 * wait       until each of them has seen a script end; the fewest lines of its output that one of them has seen
 * close      "closed"
 * </pre>
 */
public final class Watch {
    private static final List<Client> CLIENTS = new ArrayList<>();

    public static void main(String[] args) throws Exception {
        ActiveMQConnectionFactory factory = new ActiveMQConnectionFactory(args[0]);
        BufferedReader lines = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.US_ASCII));
        for (String line = lines.readLine(); line != null; line = lines.readLine()) {
            String[] words = line.trim().split(" ");
            switch (words[0]) {
                case "open" -> System.out.println(open(factory, args[1], Integer.parseInt(words[1])));
                case "wait" -> System.out.println(await());
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

    private static String await() throws InterruptedException {
        int fewest = Integer.MAX_VALUE;
        for (Client client : CLIENTS) {
            if (!client.ended.tryAcquire(60, TimeUnit.SECONDS)) {
                return "0";
            }
            fewest = Math.min(fewest, client.lines.getAndSet(0));
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
        final AtomicInteger lines = new AtomicInteger();
        final Semaphore ended = new Semaphore(0);

        Client(Connection connection, String topic) throws JMSException {
            this.connection = connection;
            Session session = connection.createSession(false, Session.AUTO_ACKNOWLEDGE);
            session.createConsumer(session.createTopic(topic)).setMessageListener(this::take);
            connection.start();
        }

        private void take(Message message) {
            try {
                String text = ((TextMessage) message).getText();
                if (text.contains("\"kind\":\"log\"") && text.contains("\"level\":\"info\"")) {
                    lines.incrementAndGet();
                } else if (text.contains("\"state\":\"finished\"")) {
                    ended.release();
                }
            } catch (JMSException problem) {
                System.err.println(problem);
            }
        }
    }
}

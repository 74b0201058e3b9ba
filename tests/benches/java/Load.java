import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Base64;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import javax.jms.Connection;
import javax.jms.DeliveryMode;
import javax.jms.Destination;
import javax.jms.JMSException;
import javax.jms.Message;
import javax.jms.MessageConsumer;
import javax.jms.MessageProducer;
import javax.jms.Session;
import javax.jms.TextMessage;
import org.apache.activemq.ActiveMQConnectionFactory;

/**
 * JMS clients that ask as fast as they are answered: the one load for whoever answers.
 *
 * <pre>
 * Load URI
 * QUEUE CLIENTS OUTSTANDING REQUESTS LOGIN64 TEXT64     each client logs in, then sends its REQUESTS, so many OUTSTANDING
 * </pre>
 *
 * Each line is answered by {"seconds", "p50_us", "p99_us", "wrong": the first answer that is an error, or null}. Logging in
 * is not counted. The process ends with its standard input.
 */
public final class Load {
    private static final long PATIENCE_MS = 30_000;

    public static void main(String[] args) throws Exception {
        ActiveMQConnectionFactory factory = new ActiveMQConnectionFactory(args[0]);
        BufferedReader lines = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.US_ASCII));
        for (String line = lines.readLine(); line != null; line = lines.readLine()) {
            System.out.println(run(factory, line.trim().split(" ")));
        }
        Runtime.getRuntime().halt(0);
    }

    private static String run(ActiveMQConnectionFactory factory, String[] words) throws Exception {
        int clients = Integer.parseInt(words[1]);
        int requests = Integer.parseInt(words[3]);
        Connection connection = factory.createConnection();
        connection.start();
        ExecutorService threads = Executors.newFixedThreadPool(clients);
        try {
            List<Client> all = new ArrayList<>();
            for (int at = 0; at < clients; at++) {
                all.add(new Client(connection, words[0], Integer.parseInt(words[2]), requests, decode(words[5])));
            }
            for (Client client : all) {
                String answer = client.ask(decode(words[4]));
                if (isWrong(answer)) {
                    return report(0, all, answer == null ? "no answer to a login within 30 s" : answer);
                }
            }
            String wrong = null;
            long begun = System.nanoTime();
            List<Future<String>> runs = new ArrayList<>();
            for (Client client : all) {
                runs.add(threads.submit((Callable<String>) client));
            }
            for (Future<String> run : runs) {
                String answer = run.get();
                wrong = wrong == null ? answer : wrong;
            }
            return report(System.nanoTime() - begun, all, wrong);
        } finally {
            threads.shutdown();
            connection.close();
        }
    }

    private static String report(long took, List<Client> clients, String wrong) {
        long[] times = clients.stream().flatMapToLong(client -> Arrays.stream(client.times)).sorted().toArray();
        String quoted = wrong == null ? "null" : '"' + wrong.replace("\\", "\\\\").replace("\"", "\\\"") + '"';
        return String.format("{\"seconds\":%.6f,\"p50_us\":%.1f,\"p99_us\":%.1f,\"wrong\":%s}", took / 1e9,
                at(times, 0.5) / 1e3, at(times, 0.99) / 1e3, quoted);
    }

    private static double at(long[] sorted, double part) {
        return sorted[(int) Math.min(sorted.length - 1, Math.floor(sorted.length * part))];
    }

    private static boolean isWrong(String answer) {
        return answer == null || answer.contains("\"error\"") || answer.contains("\"success\":false");
    }

    private static String decode(String base64) {
        return new String(Base64.getDecoder().decode(base64), StandardCharsets.UTF_8);
    }

    /** One client, with a temporary queue of its own. */
    private static final class Client implements Callable<String> {
        final long[] times;
        private final long[] sent;
        private final Session session;
        private final MessageProducer producer;
        private final MessageConsumer consumer;
        private final Destination answers;
        private final int outstanding;
        private final String text;

        Client(Connection connection, String queue, int outstanding, int requests, String text) throws JMSException {
            this.outstanding = outstanding;
            this.text = text;
            times = new long[requests];
            sent = new long[requests];
            session = connection.createSession(false, Session.AUTO_ACKNOWLEDGE);
            answers = session.createTemporaryQueue();
            consumer = session.createConsumer(answers);
            producer = session.createProducer(session.createQueue(queue));
            producer.setDeliveryMode(DeliveryMode.NON_PERSISTENT);
        }

        String ask(String request) throws JMSException {
            send("login", request);
            return text(consumer.receive(PATIENCE_MS));
        }

        @Override
        public String call() throws JMSException {
            String wrong = null;
            int next = 0;
            for (int done = 0; done < times.length; done++) {
                while (next < times.length && next < done + outstanding) {
                    sent[next] = System.nanoTime();
                    send(Integer.toString(next), text);
                    next++;
                }
                Message answer = consumer.receive(PATIENCE_MS);
                if (answer == null) {
                    return "no answer within 30 s";
                }
                int which = Integer.parseInt(answer.getJMSCorrelationID());
                times[which] = System.nanoTime() - sent[which];
                wrong = wrong == null && isWrong(text(answer)) ? text(answer) : wrong;
            }
            return wrong;
        }

        private void send(String correlation, String body) throws JMSException {
            TextMessage message = session.createTextMessage(body);
            message.setJMSCorrelationID(correlation);
            message.setJMSReplyTo(answers);
            producer.send(message);
        }

        private static String text(Message message) throws JMSException {
            return message == null ? null : ((TextMessage) message).getText();
        }
    }
}

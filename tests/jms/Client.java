import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import javax.jms.BytesMessage;
import javax.jms.DeliveryMode;
import javax.jms.JMSException;
import javax.jms.Message;
import javax.jms.TextMessage;

/**
 * Many JMS clients in one process, driven by lines and answering in JSON lines: starting Java once per client would
 * take a second each.
 *
 * <pre>
 * ID open    CLIENT URI USER PASSWORD [QUEUE]       connects ("-" as USER: no login); QUEUE is ss_admin if not given
 * ID deaf    CLIENT URI USER PASSWORD [QUEUE]       the same, but never fetches an answer
 * ID send    CLIENT CORRELATION BASE64 [OPTION...]  a request; "-" stands for an empty text or no correlation id
 * ID listen  CLIENT queue:NAME|topic:NAME           also receives from there
 * ID echo    CLIENT queue:NAME                      answers each request there with its own text
 * ID ibex    CLIENT URI USER PASSWORD [QUEUE]       behaves as the IBEX client of 2017; logs in to the broker and the script server
 * ID script  CLIENT NAME64 CODE64                   that client's "queue" command
 * ID close   CLIENT                                 says goodbye to the broker
 * ID kill    CLIENT                                 closes the socket without a word
 *
 * OPTION: type=text|bytes|empty  reply=temp|none|queue:NAME|topic:NAME  to=queue:NAME|topic:NAME|temp-queue:NAME  persistent
 *         priority=N  ttl=MILLISECONDS  property.NAME=BASE64
 * </pre>
 *
 * Each line is answered by {"event":"done","id":ID} or {"event":"failed","id":ID,"message":...}; lines of one client
 * are carried out in order, those of different clients side by side. The process ends with its standard input.
 */
public final class Client {
    static final Map<String, Member> MEMBERS = new ConcurrentHashMap<>();

    public static void main(String[] args) throws IOException {
        Out.event("started");
        BufferedReader lines = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.US_ASCII));
        for (String line = lines.readLine(); line != null; line = lines.readLine()) {
            List<String> words = Arrays.asList(line.trim().split(" +"));
            if (words.size() >= 3) {
                MEMBERS.computeIfAbsent(words.get(2), Member::new).order(words);
            }
        }
        // Not exit(): its hooks would close connections politely, and wait for brokers that are gone.
        Runtime.getRuntime().halt(0);
    }

    /** One client: its own connection, its own thread. */
    static final class Member {
        final String name;
        private final ExecutorService thread = Executors.newSingleThreadExecutor(Client::daemon);
        private Link link;
        private Ibex ibex;

        Member(String name) {
            this.name = name;
        }

        void order(List<String> words) {
            thread.execute(() -> {
                long id = Long.parseLong(words.get(0));
                try {
                    carryOut(words.get(1), words.subList(3, words.size()));
                    Out.event("done", "id", id);
                } catch (Exception problem) {
                    Out.event("failed", "id", id, "message", String.valueOf(problem.getMessage()));
                }
            });
        }

        private void carryOut(String verb, List<String> args) throws Exception {
            switch (verb) {
                case "open" -> link = new Link(new Target(args), this::received, this::lost);
                case "deaf" -> link = new Link(new Target(args), null, this::lost);
                case "ibex" -> ibex = new Ibex(name, new Target(args));
                case "script" -> ibex.queue(Texts.decode(args.get(0)), Texts.decode(args.get(1)));
                case "send" -> opened().send(args.get(0), Texts.bytes(args.get(1)), new Options(args.subList(2, args.size())));
                case "listen" -> opened().listen(args.get(0), this::received);
                case "echo" -> opened().listen(args.get(0), opened()::echo);
                case "close" -> end().close();
                case "kill" -> end().kill();
                default -> throw new IllegalArgumentException("unknown command " + verb);
            }
        }

        private Link opened() {
            if (link == null) {
                throw new IllegalStateException(name + " has no connection");
            }
            return link;
        }

        private Link end() {
            if (ibex != null) {
                return ibex.end();
            }
            Link ended = opened();
            link = null;
            return ended;
        }

        private void received(Message message) throws JMSException {
            boolean isText = message instanceof TextMessage;
            String body = isText ? ((TextMessage) message).getText() : Texts.latin1(message);
            Out.event("message", "client", name, "correlation", message.getJMSCorrelationID(),
                    "type", isText ? "text" : message instanceof BytesMessage ? "bytes" : "other", "text", body,
                    "reply_to", message.getJMSReplyTo() == null ? null : message.getJMSReplyTo().toString(),
                    "destination", String.valueOf(message.getJMSDestination()), "message_id", message.getJMSMessageID(),
                    "persistent", message.getJMSDeliveryMode() == DeliveryMode.PERSISTENT,
                    "priority", message.getJMSPriority(), "expires", message.getJMSExpiration(), "redelivered", message.getJMSRedelivered(),
                    "at_ns", System.nanoTime());
        }

        private void lost(JMSException reason) {
            Out.event("lost", "client", name, "reason", String.valueOf(reason.getMessage()));
        }
    }

    static Thread daemon(Runnable work) {
        Thread thread = new Thread(work);
        thread.setDaemon(true);
        return thread;
    }
}

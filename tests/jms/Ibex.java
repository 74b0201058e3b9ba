import java.nio.charset.StandardCharsets;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import javax.jms.JMSException;
import javax.jms.MessageConsumer;
import javax.jms.TextMessage;

/**
 * The IBEX client of 2017, with its habits: looks each second whether it is connected and otherwise begins anew
 * (connection, temporary queue, authentication); authenticates once per connection; remembers a request's
 * correlation id only after send() has returned, so that an answer that is quicker is lost; takes every message
 * for a text, so that another kind ends its reading for ever; swallows what cannot be read.
 */
final class Ibex implements Runnable {
    private static final String PASSWORD = "c2ba1bbb1d5bcc3e2bb6be3f0a0e9d4f8e7a6b51";
    private final String name;
    private final Target target;
    private final Map<String, String> waiting = Collections.synchronizedMap(new HashMap<>());
    private volatile Link link;
    private volatile boolean ended;

    Ibex(String name, Target target) {
        this.name = name;
        this.target = target;
        Client.daemon(this).start();
    }

    @Override
    public void run() {
        while (!ended) {
            try {
                if (link == null) {
                    connect();
                }
                TimeUnit.SECONDS.sleep(1);
            } catch (JMSException problem) {
                link = null;
                tell("unconnected", null, null, String.valueOf(problem.getMessage()));
                pause();
            } catch (InterruptedException stopped) {
                return;
            }
        }
    }

    private void connect() throws JMSException {
        Link made = new Link(target, null, problem -> link = null);
        MessageConsumer consumer = made.consumer();
        Thread reader = Client.daemon(() -> read(consumer));
        reader.setUncaughtExceptionHandler((thread, problem) -> tell("deaf", null, null, problem.toString()));
        reader.start();
        link = made;
        send(made, "authenticate", "{\"command\":\"authenticate\",\"login\":\"ibex\",\"passwd\":\"" + PASSWORD
                + "\",\"display\":\"TEST\"}");
    }

    private void read(MessageConsumer consumer) {
        while (true) {
            try {
                TextMessage message = (TextMessage) consumer.receive();
                if (message == null) {
                    return;
                }
                String request = waiting.remove(message.getJMSCorrelationID());
                tell(request == null ? "ignored" : "answered", request, message.getJMSCorrelationID(), message.getText());
            } catch (JMSException swallowed) {
                if (link == null) {
                    return;
                }
            }
        }
    }

    void queue(String script, String code) throws JMSException {
        Link now = link;
        if (now == null) {
            throw new JMSException("not connected");
        }
        send(now, "queue", "{\"command\":\"queue\",\"name\":\"" + gson(script) + "\",\"code\":\"" + gson(code) + "\"}");
    }

    private void send(Link to, String request, String text) throws JMSException {
        String correlation = Long.toHexString(new Random(System.currentTimeMillis()).nextLong());
        to.send(correlation, text.getBytes(StandardCharsets.UTF_8), new Options(List.of()));
        waiting.put(correlation, request);
        tell("sent", request, correlation, null);
    }

    private void tell(String what, String request, String correlation, String text) {
        Out.event("ibex", "client", name, "what", what, "request", request, "correlation", correlation, "text", text);
    }

    Link end() {
        ended = true;
        return link;
    }

    private static void pause() {
        try {
            TimeUnit.SECONDS.sleep(1);
        } catch (InterruptedException stopped) {
            Thread.currentThread().interrupt();
        }
    }

    /** As the Gson library writes a text, which the IBEX client uses with its defaults. */
    private static String gson(String text) {
        StringBuilder escaped = new StringBuilder();
        for (char c : text.toCharArray()) {
            if ("<>&='".indexOf(c) >= 0 || c < ' ') {
                escaped.append(String.format("\\u%04x", (int) c));
            } else {
                escaped.append(c == '"' || c == '\\' ? "\\" : "").append(c);
            }
        }
        return escaped.toString();
    }
}

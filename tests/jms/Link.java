import java.nio.charset.StandardCharsets;
import java.util.Map;
import javax.jms.BytesMessage;
import javax.jms.DeliveryMode;
import javax.jms.Destination;
import javax.jms.ExceptionListener;
import javax.jms.JMSException;
import javax.jms.Message;
import javax.jms.MessageConsumer;
import javax.jms.MessageProducer;
import javax.jms.Session;
import javax.jms.TextMessage;
import org.apache.activemq.ActiveMQConnection;
import org.apache.activemq.command.ActiveMQTempQueue;

/** A connection with a temporary queue for answers. */
final class Link {
    private final ActiveMQConnection connection;
    private final Session sending;
    private final MessageProducer producer;
    private final Destination requests;
    final Destination answers;

    Link(Target target, Receiver receiver, ExceptionListener lost) throws JMSException {
        connection = target.connect();
        try {
            connection.setExceptionListener(lost);
            sending = session();
            requests = sending.createQueue(target.queue());
            producer = sending.createProducer(null);
            answers = sending.createTemporaryQueue();
            if (receiver != null) {
                receive(answers, receiver);
            }
            connection.start();
        } catch (JMSException problem) {
            connection.close();
            throw problem;
        }
    }

    /** A session is for one thread at a time, so each consumer gets its own. */
    private Session session() throws JMSException {
        return connection.createSession(false, Session.AUTO_ACKNOWLEDGE);
    }

    MessageConsumer consumer() throws JMSException {
        return session().createConsumer(answers);
    }

    void listen(String name, Receiver receiver) throws JMSException {
        receive(destination(name), receiver);
    }

    private void receive(Destination source, Receiver receiver) throws JMSException {
        session().createConsumer(source).setMessageListener(message -> {
            try {
                receiver.take(message);
            } catch (JMSException problem) {
                Out.event("unreadable", "message", String.valueOf(problem.getMessage()));
            }
        });
    }

    synchronized void send(String correlation, byte[] body, Options options) throws JMSException {
        Message message = message(body, options.get("type", "text"));
        if (!correlation.equals("-")) {
            message.setJMSCorrelationID(correlation);
        }
        String reply = options.get("reply", "temp");
        if (!reply.equals("none")) {
            message.setJMSReplyTo(reply.equals("temp") ? answers : destination(reply));
        }
        for (Map.Entry<String, String> property : options.properties().entrySet()) {
            message.setStringProperty(property.getKey(), property.getValue());
        }
        String to = options.get("to", "");
        int mode = options.has("persistent") ? DeliveryMode.PERSISTENT : DeliveryMode.NON_PERSISTENT;
        producer.send(to.isEmpty() ? requests : destination(to), message, mode,
                Integer.parseInt(options.get("priority", "4")), Long.parseLong(options.get("ttl", "0")));
    }

    private Message message(byte[] body, String type) throws JMSException {
        switch (type) {
            case "bytes":
                BytesMessage message = sending.createBytesMessage();
                message.writeBytes(body);
                return message;
            case "empty":
                return sending.createTextMessage();
            default:
                return sending.createTextMessage(new String(body, StandardCharsets.UTF_8));
        }
    }

    /** Answers from the sending session, which is why it and send() take turns. */
    synchronized void echo(Message request) throws JMSException {
        if (request.getJMSReplyTo() != null && request instanceof TextMessage) {
            TextMessage answer = sending.createTextMessage(((TextMessage) request).getText());
            answer.setJMSCorrelationID(request.getJMSCorrelationID());
            producer.send(request.getJMSReplyTo(), answer, request.getJMSDeliveryMode(), request.getJMSPriority(), 0);
        }
    }

    private Destination destination(String name) throws JMSException {
        String[] parts = name.split(":", 2);
        return switch (parts[0]) {
            case "topic" -> sending.createTopic(parts[1]);
            case "temp-queue" -> new ActiveMQTempQueue(parts[1]);
            default -> sending.createQueue(parts[1]);
        };
    }

    void close() throws JMSException {
        connection.close();
    }

    /** Stops the transport itself, which closes the socket and sends none of the messages that close() does. */
    void kill() throws Exception {
        connection.setExceptionListener(null);
        connection.getTransport().stop();
    }
}

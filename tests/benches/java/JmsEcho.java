import javax.jms.Connection;
import javax.jms.DeliveryMode;
import javax.jms.JMSException;
import javax.jms.MessageProducer;
import javax.jms.Session;
import javax.jms.TextMessage;
import org.apache.activemq.ActiveMQConnectionFactory;

/**
 * The floor for clients: the smallest answerer in the broker's own protocol. {@code JmsEcho URI QUEUE}; ends with its standard
 * input.
 */
public final class JmsEcho {
    public static void main(String[] args) throws Exception {
        Connection connection = new ActiveMQConnectionFactory(args[0]).createConnection();
        Session session = connection.createSession(false, Session.AUTO_ACKNOWLEDGE);
        MessageProducer producer = session.createProducer(null);
        producer.setDeliveryMode(DeliveryMode.NON_PERSISTENT);
        session.createConsumer(session.createQueue(args[1])).setMessageListener(request -> {
            try {
                TextMessage answer = session.createTextMessage(((TextMessage) request).getText());
                answer.setJMSCorrelationID(request.getJMSCorrelationID());
                producer.send(request.getJMSReplyTo(), answer);
            } catch (JMSException problem) {
                System.err.println(problem);
            }
        });
        connection.start();
        System.out.println("ready");
        while (System.in.read() >= 0) {
        }
        Runtime.getRuntime().halt(0);
    }
}

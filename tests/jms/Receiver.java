import javax.jms.JMSException;
import javax.jms.Message;

/** What is done with a received message. */
interface Receiver {
    void take(Message message) throws JMSException;
}

import java.util.List;
import javax.jms.JMSException;
import org.apache.activemq.ActiveMQConnection;
import org.apache.activemq.ActiveMQConnectionFactory;

/** Where to connect, as what, and the queue that requests go to. */
record Target(String uri, String user, String password, String queue) {
    Target(List<String> args) {
        this(args.get(0), args.get(1), args.get(2), args.size() > 3 ? args.get(3) : "ss_admin");
    }

    ActiveMQConnection connect() throws JMSException {
        ActiveMQConnectionFactory factory = new ActiveMQConnectionFactory(uri);
        boolean anonymous = user.equals("-");
        return (ActiveMQConnection) (anonymous ? factory.createConnection() : factory.createConnection(user, password));
    }
}

import java.nio.charset.StandardCharsets;
import java.util.Base64;
import javax.jms.BytesMessage;
import javax.jms.JMSException;
import javax.jms.Message;

/** How bodies travel in lines. */
final class Texts {
    private Texts() {
    }

    static byte[] bytes(String base64) {
        return base64.equals("-") ? new byte[0] : Base64.getDecoder().decode(base64);
    }

    static String decode(String base64) {
        return new String(bytes(base64), StandardCharsets.UTF_8);
    }

    /** The body of a message that is no text, one character per byte. */
    static String latin1(Message message) throws JMSException {
        if (!(message instanceof BytesMessage)) {
            return null;
        }
        byte[] body = new byte[(int) ((BytesMessage) message).getBodyLength()];
        ((BytesMessage) message).readBytes(body);
        return new String(body, StandardCharsets.ISO_8859_1);
    }
}

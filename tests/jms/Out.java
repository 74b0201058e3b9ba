import java.io.PrintStream;

/** Writes events as JSON lines in ASCII. */
final class Out {
    private static final PrintStream OUT = System.out;

    static void event(String kind, Object... fields) {
        StringBuilder line = new StringBuilder("{\"event\":");
        value(line, kind);
        for (int at = 0; at < fields.length; at += 2) {
            value(line.append(','), fields[at]);
            value(line.append(':'), fields[at + 1]);
        }
        synchronized (OUT) {
            OUT.append(line.append("}\n"));
            OUT.flush();
        }
    }

    private static void value(StringBuilder line, Object value) {
        if (!(value instanceof String)) {
            line.append(value);
            return;
        }
        line.append('"');
        ((String) value).codePoints().forEach(point -> character(line, point));
        line.append('"');
    }

    private static void character(StringBuilder line, int point) {
        if (point == '"' || point == '\\') {
            line.append('\\').append((char) point);
        } else if (point >= ' ' && point < 0x7f) {
            line.append((char) point);
        } else {
            // Half a surrogate pair is no character.
            boolean isHalf = point >= 0xd800 && point < 0xe000;
            for (char c : Character.toChars(isHalf ? 0xfffd : point)) {
                line.append(String.format("\\u%04x", (int) c));
            }
        }
    }
}

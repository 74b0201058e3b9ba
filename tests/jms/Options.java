import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** The words behind a send. */
final class Options {
    private final Map<String, String> values = new HashMap<>();

    Options(List<String> words) {
        for (String word : words) {
            String[] parts = word.split("=", 2);
            values.put(parts[0], parts.length > 1 ? parts[1] : "");
        }
    }

    boolean has(String name) {
        return values.containsKey(name);
    }

    String get(String name, String otherwise) {
        return values.getOrDefault(name, otherwise);
    }

    Map<String, String> properties() {
        Map<String, String> properties = new HashMap<>();
        values.forEach((name, value) -> {
            if (name.startsWith("property.")) {
                properties.put(name.substring("property.".length()), Texts.decode(value));
            }
        });
        return properties;
    }
}

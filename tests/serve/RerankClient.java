import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;

/**
 * Asks a server to rank, as tidyparse's evaluator does: Java's own client with its defaults, which are HTTP/2 (over plain
 * HTTP it therefore sends `Upgrade: h2c`) and two minutes; the body is read whatever the status is.
 *
 * Run as: java RerankClient.java URL TOKEN BODY ... (an empty token is none). The answer to each file stands beside it in
 * BODY.answer; of each a line is printed: status, content type, X-Error.
 */
public class RerankClient {
    public static void main(String[] arguments) throws Exception {
        HttpClient client = HttpClient.newHttpClient();
        for (int number = 2; number < arguments.length; number++) {
            Path body = Path.of(arguments[number]);
            HttpRequest.Builder request = HttpRequest.newBuilder(URI.create(arguments[0]))
                    .timeout(Duration.ofMinutes(2))
                    .POST(HttpRequest.BodyPublishers.ofString(Files.readString(body)));
            if (!arguments[1].isEmpty()) {
                request.header("Authorization", "Bearer " + arguments[1]);
            }
            HttpResponse<String> answer = client.send(request.build(), HttpResponse.BodyHandlers.ofString());
            Files.writeString(Path.of(body + ".answer"), answer.body());
            System.out.println(answer.statusCode()
                    + "\t" + answer.headers().firstValue("content-type").orElse("")
                    + "\t" + answer.headers().firstValue("x-error").orElse(""));
        }
    }
}

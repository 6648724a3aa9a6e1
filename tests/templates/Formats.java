import java.io.BufferedReader;
import java.io.BufferedWriter;
import java.io.InputStreamReader;
import java.io.OutputStreamWriter;
import java.nio.charset.StandardCharsets;
import java.text.DecimalFormat;
import java.text.DecimalFormatSymbols;
import java.util.HashMap;
import java.util.Locale;
import java.util.Map;

/** Reads lines of a number's bits in hexadecimal, a tab and a pattern; writes what DecimalFormat makes of it. */
public class Formats {
    public static void main(String[] args) throws Exception {
        DecimalFormatSymbols symbols = DecimalFormatSymbols.getInstance(Locale.ROOT);
        Map<String, DecimalFormat> known = new HashMap<>();
        BufferedReader in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8), 1 << 16);
        BufferedWriter out = new BufferedWriter(new OutputStreamWriter(System.out, StandardCharsets.UTF_8), 1 << 16);
        for (String line = in.readLine(); line != null; line = in.readLine()) {
            int tab = line.indexOf('\t');
            double value = Double.longBitsToDouble(Long.parseUnsignedLong(line.substring(0, tab), 16));
            DecimalFormat format = known.computeIfAbsent(line.substring(tab + 1), p -> new DecimalFormat(p, symbols));
            out.write(format.format(value));
            out.write('\n');
        }
        out.flush();
    }
}

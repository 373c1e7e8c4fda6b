package org.example.store;

import java.io.BufferedReader;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.function.Function;

/** A store of articles, with something of everything that Java has. */
@SuppressWarnings({"unchecked", "rawtypes"})
public class Sample<K extends Comparable<K>, V> extends Base<K> implements Iterable<V>, Cloneable {
    private static final int LIMIT = 1_000;
    private final Map<String, List<V>> shelves = new java.util.HashMap<>();
    private final Comparator<V> order = (a, b) -> a == b ? 0 : 1;
    private double rate = 1.5e-3, other = .5f;

    static {
        if (LIMIT > 10) {
            System.out.println("many");
        }
    }

    {
        rate = rate > 1 ? 1 : rate;
    }

    public Sample() {
        this(LIMIT, null);
    }

    protected Sample(int limit, Map<? extends K, ? super V> first) {
        super(limit);
        if (first != null && !first.isEmpty() || limit < 0) {
            throw new IllegalArgumentException("no: " + limit);
        }
    }

    @Override
    public int size() {
        return shelves.size();
    }

    public V find(final String name, int... places) throws IOException {
        outer:
        for (int i = 0, n = places.length; i < n; i++) {
            for (V each : shelves.get(name)) {
                if (each == null) {
                    continue outer;
                } else if (places[i] % 2 == 0 && i > 1) {
                    break outer;
                } else {
                    return each;
                }
            }
        }
        return null;
    }

    String describe(int kind, Object thing) {
        switch (kind) {
            case 1:
            case 2:
                return "few";
            case 3: {
                return kind > rate ? "some" : "none";
            }
            default:
                break;
        }
        return thing instanceof String s && !s.isBlank() ? s : String.valueOf(thing);
    }

    int weigh(Object thing, Size size) {
        int base = switch (size) {
            case SMALL, MEDIUM -> 1;
            case LARGE -> {
                int x = thing.hashCode();
                yield x > 0 ? x : -x;
            }
            default -> throw new IllegalStateException();
        };
        int more = switch (size) {
            case SMALL:
                yield 2;
            default:
                yield 3;
        };
        return base + more;
    }

    long read(BufferedReader reader) {
        long sum = 0L;
        try (var lines = reader; BufferedReader second = open("b")) {
            String line;
            while ((line = lines.readLine()) != null) {
                sum += line.length() << 2 >>> 1;
            }
        } catch (IOException | IllegalStateException e) {
            if (e.getCause() != null) {
                sum *= 2;
            }
        } catch (RuntimeException e) {
            throw e;
        } finally {
            sum = sum >= 0 ? sum : ~sum;
        }
        do {
            sum--;
        } while (sum > LIMIT || sum % 7 != 0);
        return sum;
    }

    <T, R> List<R> map(List<? extends T> things, Function<? super T, ? extends R> how) {
        List<R> result = new ArrayList<>();
        things.forEach(thing -> {
            if (thing != null) {
                result.add(how.apply(thing));
            }
        });
        things.stream().filter(t -> t != null && t.hashCode() > 0).map(how::apply).forEach(result::add);
        return result;
    }

    Runnable later(final int times) {
        final int[] count = {0, 1, 2};
        return new Runnable() {
            @Override
            public void run() {
                for (int i = 0; i < times; i++) {
                    if (i % 2 == 0) {
                        count[0] += i;
                    }
                }
            }

            int left(int of) {
                return of > 0 ? of : 0;
            }
        };
    }

    synchronized void guarded(Class<?> type, List<?> list, char letter) {
        synchronized (this) {
            assert type != null : "type";
            if (letter == '\'' || letter == '"' || letter == '}') {
                list.clear();
            }
        }
        String text = "a \"quoted\" { brace";
        int[][] grid = new int[3][4];
        grid[0][1] = (int) 'x' & 0xFF | 1 << 3 ^ 2;
        grid[1][2] *= 2;
        grid[1][2] /= 2;
        grid[1][2] %= 2;
        grid[1][2] >>>= 2;
        grid[1][2] <<= 2;
    }

    public <T extends Comparable<? super T>> T largest(List<T> list) {
        T best = null;
        for (T each : list) if (best == null || each.compareTo(best) > 0) best = each;
        return best;
    }

    native int fast(int a);

    enum Size {
        SMALL(1) {
            @Override
            int factor() {
                return weight > 0 ? 1 : 2;
            }
        },
        MEDIUM(2),
        LARGE(3);

        final int weight;

        Size(int weight) {
            this.weight = weight;
        }

        int factor() {
            return weight;
        }
    }

    interface Visitor<R> {
        R visit(Object each, int depth);

        default R visitAll(List<Object> all) {
            R last = null;
            for (Object each : all) {
                last = visit(each, 0);
            }
            return last;
        }

        static boolean isLeaf(Object each) {
            return !(each instanceof List<?> list) || list.isEmpty();
        }
    }

    static class Node<T> {
        T value;
        Node<T> left, right;

        int depth() {
            int l = left == null ? 0 : left.depth();
            int r = right == null ? 0 : right.depth();
            return 1 + Math.max(l, r);
        }

        @Override
        public boolean equals(Object o) {
            if (this == o) return true;
            if (!(o instanceof Node)) return false;
            Node<?> that = (Node<?>) o;
            return value != null ? value.equals(that.value) : that.value == null && left == that.left;
        }
    }

    @interface Marked {
        int value() default 3;
    }
}

/* A store of articles, with something of everything that C has. */
#include <stdio.h>
#include <stdlib.h>
#include "string.h"

#ifndef LIMIT
#define LIMIT 1000
#endif
#define MAX(a, b) ((a) > (b) ? (a) : (b))
#define SWAP(a, b) do { int t = (a); \
    (a) = (b); (b) = t; } while (0)

typedef unsigned char byte;
typedef struct node {
    int value;
    struct node *left, *right;
    int (*compare)(const void *, const void *);
} node;
enum kind { SMALL, LARGE = 5 };
union number { int i; double d; };

static int total = 0, sizes[] = {1, 2, 3};
extern int external(int a);
int declared(int a, char *b);

int add(int a, int b)
{
    return a + b;
}

static inline unsigned long none(void) { return 0xFFul; }

node *insert(node *root, int value)
{
    if (root == NULL) {
        node *fresh = malloc(sizeof *fresh);
        if (!fresh)
            return NULL;
        fresh->value = value;
        fresh->left = fresh->right = 0;
        return fresh;
    } else if (value < root->value) {
        root->left = insert(root->left, value);
    } else if (value > root->value && root->right) {
        root->right = insert(root->right, value);
    } else {
        root->value++;
    }
    return root;
}

const char *describe(enum kind kind, double rate)
{
    switch (kind) {
    case SMALL:
    case 1:
        return rate > 1.5e-3 ? "few" : "none";
    case LARGE: {
        return "a \"quoted\" { brace";
    }
    default:
        break;
    }
    return rate >= .5 || rate < 2. ? "some" " more" : "";
}

int find(const int *values, size_t count, int wanted)
{
    size_t i;
    for (i = 0; i < count; i++) {
        if (values[i] == wanted)
            goto found;
        if (values[i] < 0)
            continue;
    }
    return -1;
found:
    return (int)i;
}

long read_all(FILE *file, char buffer, int flags)
{
    long sum = 0;
    int c;
    while ((c = fgetc(file)) != EOF) {
        sum += c << 2 >> 1;
        if (c == '\n' || c == '"' || c == '\'')
            break;
    }
    do {
        sum--;
    } while (sum > LIMIT);
    for (;;) {
        if (flags & 1 && !(buffer | ~flags))
            return sum;
        flags >>= 1;
        flags <<= 2;
        flags *= 3;
        flags /= 3;
        flags %= 7;
        flags ^= 1;
        flags |= 2;
        flags &= ~4;
    }
}

#if defined(_WIN32) && LIMIT > 5
int platform(void) { return 1; }
#elif defined(__unix__)
int platform(void) { return 2; }
#else
int platform(void) { return 3; }
#endif

int conditional(int a)
{
#ifdef DEBUG
    printf("%d\n", a);
#endif
#ifndef QUIET
    puts("not quiet");
#endif
#if LIMIT > 10 || \
    LIMIT < 5
    if (a)
        a--;
#elif LIMIT > 3
    a++;
#else
    a += 2;
#endif
#define LOCAL 3
#undef LOCAL
#pragma omp parallel
    return a ? a : 1;
}

static int compare(const void *a, const void *b) { return *(const int *)a - *(const int *)b; }

int (*chosen(int reverse))(const void *, const void *)
{
    return reverse ? NULL : compare;
}

char **split(char *text, char separator, int *count)
{
    char **parts = NULL;
    *count = 0;
    for (char *at = text; *at; at++)
        if (*at == separator) {
            *at = '\0';
            ++*count;
        }
    parts = calloc(*count + 1, sizeof(char *));
    if (parts && **parts == *text) free(parts);
    return parts;
}

int nested(int a, int b)
{
    int result = 0;
    for (int i = 0; i < a; i++) {
        for (int j = 0; j < b; j++) {
            if (i == j) {
                while (result < 10)
                    result++;
            } else {
                if (i > j)
                    result--;
            }
        }
    }
    return a > b ? result : a == b ? 0 : -result;
}

int old_style(a, b)
    int a;
    char *b;
{
    if (a) return *b;
    return 0;
}

int print(const char *format, ...)
{
    struct { int x; byte y; } point = {.x = 1, .y = 2};
    int array[2][3] = {{1, 2, 3}, {4, 5, 6}};
    union number number;
    number.i = array[0][1];
    return point.x + MAX(number.i, total) + sizes[0];
}

int main(int argc, char **argv)
{
    (void)argv;
    return argc > 1 ? EXIT_FAILURE : EXIT_SUCCESS;
}

// Package store keeps articles, with something of everything that Go has.
package store

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"
)

//go:generate stringer -type=Kind

// Kind is what an article is.
type Kind int

const (
	Small Kind = iota
	Large
)

var (
	limit   = 1_000
	ErrGone = errors.New("gone")
)

type visitor interface {
	Visit(each *Node, depth int) (bool, error)
}

type callback func(name string, count int) error

// Node is a node of a tree.
type Node[T any] struct {
	sync.Mutex
	Value       T `json:"value,omitempty"`
	Left, Right *Node[T]
	onChange    func(old, new T)
}

// Number is a constraint.
type Number interface {
	~int | ~int64 | ~float64
}

func init() {
	limit = 10 << 2
}

// Sum adds.
func Sum[T Number](values ...T) T {
	var sum T
	for _, value := range values {
		sum += value
	}
	return sum
}

func Map[K comparable, V any](from map[K]V, how callback) map[K]V {
	to := make(map[K]V, len(from))
	for k, v := range from {
		k, v = how(k, v)
		to[k] = v
	}
	return to
}

func (n *Node[T]) Depth() int {
	if n == nil {
		return 0
	}
	l, r := n.Left.Depth(), n.Right.Depth()
	if l > r {
		return l + 1
	}
	return r + 1
}

func (Node[T]) String() string { return "node" }

func (n *Node[T]) Walk(visit visitor, depth int) (count int, err error) {
	n.Lock()
	defer n.Unlock()
	if n.Left != nil && visit.Visit(n.Left, depth) || n.Right != nil {
		if more, err := n.Left.Walk(visit, depth+1); err != nil {
			return 0, fmt.Errorf("walk %d: %w", depth, err)
		} else if more > 0 {
			count += more
		} else {
			count--
		}
	}
	return
}

func classify(kind Kind, thing any) string {
	switch kind {
	case Small, Large:
		return "known"
	case 3:
		fallthrough
	case 4:
		return `raw "text" with { and
	another line`
	default:
	}
	switch {
	case kind > 5 && kind < 10:
		return "few"
	case kind == 11:
		break
	}
	switch v := thing.(type) {
	case nil:
		return "nil"
	case int, int64:
		return fmt.Sprint(v)
	case fmt.Stringer:
		if text := v.String(); text != "" {
			return text
		}
	}
	return ""
}

func search(grid [][]rune, wanted rune) (x, y int, found bool) {
outer:
	for y = 0; y < len(grid); y++ {
		for x = range grid[y] {
			if grid[y][x] == '"' || grid[y][x] == '\'' {
				continue outer
			}
			if grid[y][x] == wanted {
				found = true
				break outer
			}
		}
	}
	if !found && !(x > 3 || y > 4) {
		goto end
	}
	x++
end:
	return x, y, found
}

func serve(ctx context.Context, jobs <-chan int, results chan<- int, done chan bool) error {
	ticker := time.NewTicker(1500 * time.Millisecond)
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case job, ok := <-jobs:
			if !ok {
				return nil
			}
			results <- job * 2
		case <-ticker.C:
		case results <- 1:
			limit++
		default:
			close(done)
		}
	}
}

func bits(a, b uint) (c uint) {
	c = a &^ b
	c |= a & 0xFF
	c ^= b % 3
	c <<= 2
	c >>= 1
	c *= 2
	c /= 2
	c %= 7
	c &^= 1
	f := 1.5e-3 * float64(c)
	if f >= .5 || f != 2. {
		c = ^c
	}
	return c
}

func factorial(n int) int {
	if n <= 1 {
		return 1
	}
	return n * factorial(n-1)
}

func build(names []string) []*Node[string] {
	nodes := make([]*Node[string], 0, len(names))
	index := map[string]int{
		"a": 1,
		"b": 2,
	}
	for i, name := range names {
		node := &Node[string]{
			Value: name,
			Left:  &Node[string]{Value: name[:i]},
		}
		if at, ok := index[name]; ok && at >= i {
			nodes = append(nodes[:at], node)
		}
	}
	return nodes
}

func anonymous(a, _ int, _ string) (err error) {
	for range 3 {
		if err = run(a); err != nil {
			break
		}
	}
	for a < 10 {
		a++
	}
	return err
}

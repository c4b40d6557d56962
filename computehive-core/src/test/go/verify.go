// Checks a log's folder with Go's own sumdb packages: verify DIR VERIFIER_KEY EARLIER_CHECKPOINT.
// It shares no code with the log that it reads.
package main

import (
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

const height = 8

// path is C2SP tlog-tiles' name of a tile, which differs from sumdb's.
func path(kind string, n int64, width int) string {
	number := fmt.Sprintf("%03d", n%1000)
	for rest := n / 1000; rest > 0; rest /= 1000 {
		number = fmt.Sprintf("x%03d/%s", rest%1000, number)
	}
	name := "tile/" + kind + "/" + number
	if width < 1<<height {
		name += ".p/" + strconv.Itoa(width)
	}
	return name
}

type folder string

func (f folder) Height() int                      { return height }
func (f folder) SaveTiles([]tlog.Tile, [][]byte) {}
func (f folder) ReadTiles(tiles []tlog.Tile) ([][]byte, error) {
	var all [][]byte
	for _, t := range tiles {
		data, err := os.ReadFile(filepath.Join(string(f), path(strconv.Itoa(t.L), t.N, t.W)))
		if err != nil {
			return nil, err
		}
		all = append(all, data)
	}
	return all, nil
}

func check(err error, what string) {
	if err != nil {
		fmt.Println("FAILS", what, err)
		os.Exit(1)
	}
}

func open(text, key string) tlog.Tree {
	verifier, err := note.NewVerifier(key)
	check(err, "key")
	opened, err := note.Open([]byte(text), note.VerifierList(verifier))
	check(err, "note")
	lines := strings.Split(opened.Text, "\n")
	size, err := strconv.ParseInt(lines[1], 10, 64)
	check(err, "size")
	root, err := tlog.ParseHash(lines[2])
	check(err, "root")
	return tlog.Tree{N: size, Hash: root}
}

func main() {
	dir := os.Args[1]
	text, err := os.ReadFile(filepath.Join(dir, "checkpoint"))
	check(err, "checkpoint")
	tree := open(string(text), os.Args[2])
	before, err := os.ReadFile(os.Args[3])
	check(err, "earlier checkpoint")
	earlier := open(string(before), os.Args[2])
	hashes := tlog.TileHashReader(tree, folder(dir))

	proof, err := tlog.ProveTree(tree.N, earlier.N, hashes)
	check(err, "consistency proof")
	check(tlog.CheckTree(proof, tree.N, tree.Hash, earlier.N, earlier.Hash), "consistency")

	records := int64(0)
	for n := int64(0); n<<height < tree.N; n++ {
		width := 1 << height
		if rest := tree.N - n<<height; rest < int64(width) {
			width = int(rest)
		}
		bundle, err := os.ReadFile(filepath.Join(dir, path("entries", n, width)))
		check(err, "bundle")
		for len(bundle) > 0 {
			length := int(binary.BigEndian.Uint16(bundle))
			entry := bundle[2 : 2+length]
			bundle = bundle[2+length:]
			inclusion, err := tlog.ProveRecord(tree.N, records, hashes)
			check(err, "inclusion proof")
			check(tlog.CheckRecord(inclusion, tree.N, tree.Hash, records, tlog.RecordHash(entry)), "inclusion")
			records++
		}
	}
	if records != tree.N {
		fmt.Println("FAILS: entries", records, "of", tree.N)
		os.Exit(1)
	}
	fmt.Println("VERIFIED", records)
}

// SPDX-License-Identifier: MIT
/*
 * find-pieces IMAGE FILE: how many pieces of the picture are in a file
 *
 * A piece is PIECE bytes of pixels, from the disk's image; each pixel of it has a
 * byte that is drawn by lot for each run, which no screen shows. FILE is looked
 * at from every byte on. Prints how many pieces there are, how often one was
 * found, how many lines these were of, and where the first one was.
 */
#include <assert.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../journey/layout.h"

#define PIECE		32U
#define PER_LINE	(4 * WIDTH / PIECE)
#define PIECES		(PER_LINE * HEIGHT)
#define BUCKETS		1048576U	/* as many as a hash has values */
#define NONE		UINT32_MAX

static_assert(4 * WIDTH % PIECE == 0, "pieces do not cover a line");

/**
 * struct file - a file, mapped
 * @data: what is in it
 * @size: bytes
 */
struct file {
	const uint8_t *data;
	size_t size;
};

/**
 * struct search - pieces by the hash of how they begin
 * @image: the picture, as it is on the disk
 * @first: for each hash, the first piece that has it, or NONE
 * @next: for each piece, the next one with the same hash, or NONE
 */
struct search {
	const uint8_t *image;
	uint32_t first[BUCKETS];
	uint32_t next[PIECES];
};

static struct file map(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct file file;
	struct stat stat;

	if (fd < 0 || fstat(fd, &stat)) {
		perror(path);
		exit(2);
	}
	file.size = (size_t)stat.st_size;
	file.data = mmap(NULL, file.size, PROT_READ, MAP_PRIVATE, fd, 0);
	if (file.data == MAP_FAILED) {
		perror(path);
		exit(2);
	}
	close(fd);
	return file;
}

static uint32_t hash(const uint8_t *at)
{
	uint64_t word;

	memcpy(&word, at, sizeof(word));
	return (uint32_t)(word * 0x9e3779b97f4a7c15ULL >> 44);
}

static const uint8_t *piece(const struct search *search, uint32_t number)
{
	return search->image + number / PER_LINE * PITCH + HEADER + number % PER_LINE * PIECE;
}

static struct search *prepare(const uint8_t *image)
{
	struct search *search = malloc(sizeof(*search));
	uint32_t number, *first;

	if (!search)
		exit(2);
	search->image = image;
	memset(search->first, 0xff, sizeof(search->first));
	for (number = 0; number < PIECES; number++) {
		first = &search->first[hash(piece(search, number))];
		search->next[number] = *first;
		*first = number;
	}
	return search;
}

/* The piece that is there, or NONE */
static uint32_t find(const struct search *search, const uint8_t *at)
{
	uint32_t number = search->first[hash(at)];

	while (number != NONE && memcmp(piece(search, number), at, PIECE))
		number = search->next[number];
	return number;
}

int main(int argc, char **argv)
{
	static bool seen[HEIGHT];
	struct file image, file;
	struct search *search;
	size_t at, where = 0, found = 0;
	unsigned int lines = 0;
	uint32_t number;

	if (argc != 3) {
		fprintf(stderr, "usage: find-pieces IMAGE FILE\n");
		return 2;
	}
	image = map(argv[1]);
	file = map(argv[2]);
	if (image.size != LENGTH || file.size < PIECE) {
		fprintf(stderr, "find-pieces: a file has not the size that it should have\n");
		return 2;
	}
	search = prepare(image.data);
	for (at = 0; at <= file.size - PIECE; at++) {
		number = find(search, file.data + at);
		if (number == NONE)
			continue;
		if (!found++)
			where = at;
		lines += !seen[number / PER_LINE];
		seen[number / PER_LINE] = true;
	}
	printf("%u %zu %u %zu\n", PIECES, found, lines, where);
	return 0;
}

/* SPDX-License-Identifier: MIT */
/* What the processes of the demo share. */
#ifndef DEMO_JOURNEY_H
#define DEMO_JOURNEY_H

#include <stdbool.h>
#include <sys/types.h>
#include <libpeerbuf.h>

#include "layout.h"

#define __printf(text, first) __attribute__((format( \
	printf, text, first)))
#define ARRAY_SIZE(array) (sizeof(array) / sizeof((array)[0]))

/* Processes: actor.c */

/**
 * struct report - what a process says when it has done something
 * @error: 0, or a negative errno
 * @text: what was done, or what failed
 * @bytes: that went to or from a device
 * @offset: of each buffer in its window: of the owner's report
 * @id: of each buffer: likewise
 */
struct report {
	int error;
	char text[100];
	__u64 bytes;
	__u64 offset[2];
	__u64 id[2];
};

/**
 * struct actor - a process without rights, that has what it was passed
 * @name: what it is
 * @pid: the process
 * @socket: to it
 */
struct actor {
	const char *name;
	pid_t pid;
	int socket;
};

int actor_start(struct actor *actor, const char *name, void (*play)(int socket));
int actor_give(const struct actor *actor, int fd);
int actor_go(const struct actor *actor);
int actor_hear(const struct actor *actor, struct report *report);
bool actor_is_powerless(const struct actor *actor);
bool actor_maps_buffers(const struct actor *actor);
int actor_end(struct actor *actor);

/* The other side of it; these end the process where they fail. */
int take(int socket);
void wait_for_go(int socket);
void tell(int socket, const struct report *report);
void give_up(int socket, int error, const char *text);
int call(int fd, unsigned long request, void *arg);

void play_owner(int socket);
void play_disk(int socket);
void play_wire(int socket);
void play_screen(int socket);

/* Spoiling the journey, to see that it is noticed: peerbuf-demo.c */
bool sabotaged(const char *what);

/* Who is there: devices.c */

/**
 * struct device - a device of the journey
 * @function: its address
 * @path: its node
 * @name: what people call it
 * @driver: what drives it
 * @step: number of its hop in the picture
 * @way: of the data, in words
 * @buffer: which of the buffers it uses, 0 for A or 1 for B
 * @verdict: how it reaches the memory
 * @bytes: that it moved
 * @sound: its route and its addresses are what they should be
 */
struct device {
	struct peerbuf_function function;
	char path[64];
	const char *name;
	const char *driver;
	int step;
	const char *way;
	int buffer;
	struct peerbuf_verdict verdict;
	__u64 bytes;
	bool sound;
};

enum { NVME, NIC0, NIC1, GPU, NR_DEVICES };

int devices_find(struct device devices[NR_DEVICES]);

/* Where each device was sent: addresses.c */

/**
 * struct addresses - what one importer of one buffer was given
 * @first: the first address
 * @bytes: how many it can reach by them
 * @extents: in how many pieces
 * @outside: bytes of these that are not the provider's memory
 * @misled: bytes whose address is not the one of the route
 */
struct addresses {
	__u64 first;
	__u64 bytes;
	unsigned int extents;
	__u64 outside;
	__u64 misled;
};

int addresses_watch(void);
int addresses_watch_memory(void);
int addresses_read_memory(const struct peerbuf_window_info *window,
			  const struct device *device, __u64 *bytes);
int addresses_read(const struct peerbuf_window_info *window, const struct device *device,
		   __u64 id, struct addresses *seen);

/* QEMU's monitor: monitor.c */

int monitor(const char *command, char *reply, size_t size);

/* What is printed: text.c */

int fail(int err, const char *what);
void step(int number, const char *title);
__printf(2, 3) bool check(bool ok, const char *format, ...);
__printf(1, 2) void say(const char *format, ...);
__printf(1, 2) void note(const char *format, ...);
bool all_is_well(void);
const char *name_of(const struct peerbuf_function *function);

#endif /* DEMO_JOURNEY_H */

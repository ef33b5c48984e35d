// SPDX-License-Identifier: MIT
/*
 * The processes of the demo: each begins with one socket and no rights, and has
 * nothing but the descriptors that others pass to it.
 */
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "journey.h"

#define NOBODY 65534
#define NO_CAPABILITIES "0000000000000000"

static int become_nobody(void)
{
	if (setgroups(0, NULL) || setresgid(NOBODY, NOBODY, NOBODY) ||
	    setresuid(NOBODY, NOBODY, NOBODY) || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
		return -errno;
	return 0;
}

/* Descriptors 0 to 2 lead nowhere, and there are no others but the socket. */
static int keep_only(int socket)
{
	int null = open("/dev/null", O_RDWR);

	if (null < 0 || dup2(null, 0) < 0 || dup2(null, 1) < 0 || dup2(null, 2) < 0 ||
	    dup2(socket, 3) < 0 || close_range(4, ~0U, 0))
		return -errno;
	return 0;
}

static void be_actor(int socket, void (*play)(int socket))
{
	int err;

	prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
	signal(SIGPIPE, SIG_IGN);
	err = keep_only(socket);
	if (!err)
		err = become_nobody();
	if (err)
		_exit(1);
	play(3);
	_exit(0);
}

int actor_start(struct actor *actor, const char *name, void (*play)(int socket))
{
	int sockets[2];

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sockets))
		return -errno;
	fflush(stdout);
	actor->name = name;
	actor->socket = sockets[0];
	actor->pid = fork();
	if (!actor->pid)
		be_actor(sockets[1], play);
	close(sockets[1]);
	return actor->pid < 0 ? -errno : 0;
}

/* Pass a descriptor on, and keep none. */
int actor_give(const struct actor *actor, int fd)
{
	int err = peerbuf_send_fd(actor->socket, fd);

	close(fd);
	return err;
}

int actor_go(const struct actor *actor)
{
	return send(actor->socket, "go", 2, MSG_NOSIGNAL) < 0 ? -errno : 0;
}

/* What the actor says next. A negative errno if it says nothing any more. */
int actor_hear(const struct actor *actor, struct report *report)
{
	ssize_t got = recv(actor->socket, report, sizeof(*report), 0);

	if (got < 0)
		return -errno;
	if (got != sizeof(*report))
		return -EPIPE;
	report->text[sizeof(report->text) - 1] = '\0';
	return 0;
}

/* Does /proc/PID/@file have a line that begins like that? */
static bool file_has(pid_t pid, const char *file, const char *start, const char *part)
{
	char path[32], line[512];
	bool found = false;
	FILE *stream;

	snprintf(path, sizeof(path), "/proc/%d/%s", pid, file);
	stream = fopen(path, "re");
	while (stream && !found && fgets(line, sizeof(line), stream))
		found = !strncmp(line, start, strlen(start)) && strstr(line, part);
	if (stream)
		fclose(stream);
	return found;
}

bool actor_is_powerless(const struct actor *actor)
{
	return file_has(actor->pid, "status", "Uid:", "\t65534\t65534\t65534\t65534\n") &&
	       file_has(actor->pid, "status", "CapPrm:", NO_CAPABILITIES) &&
	       file_has(actor->pid, "status", "CapEff:", NO_CAPABILITIES) &&
	       file_has(actor->pid, "status", "NoNewPrivs:", "1");
}

bool actor_maps_buffers(const struct actor *actor)
{
	return file_has(actor->pid, "maps", "", "dmabuf");
}

/* Ends when its socket does. */
int actor_end(struct actor *actor)
{
	int status;

	close(actor->socket);
	if (waitpid(actor->pid, &status, 0) < 0)
		return -errno;
	return WIFEXITED(status) && !WEXITSTATUS(status) ? 0 : -EIO;
}

int take(int socket)
{
	int fd = peerbuf_recv_fd(socket);

	if (fd < 0)
		_exit(1);
	return fd;
}

/* The end of the demo counts as a good end. */
void wait_for_go(int socket)
{
	char word[2];

	if (recv(socket, word, sizeof(word), 0) != sizeof(word))
		_exit(0);
}

void tell(int socket, const struct report *report)
{
	if (send(socket, report, sizeof(*report), 0) < 0)
		_exit(1);
}

void give_up(int socket, int error, const char *text)
{
	struct report report = { .error = error };

	snprintf(report.text, sizeof(report.text), "%s", text);
	tell(socket, &report);
	_exit(1);
}

int call(int fd, unsigned long request, void *arg)
{
	int ret;

	do {
		ret = ioctl(fd, request, arg);
	} while (ret < 0 && errno == EINTR);
	return ret < 0 ? -errno : ret;
}

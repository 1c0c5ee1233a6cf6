// SPDX-License-Identifier: Apache-2.0
/*
 * Runs a fuzz target over the files of its corpus, without a fuzzer: part of `make check`, built
 * with the compiler and flags of everything else.
 *
 * usage: replay_<name> FILE|DIRECTORY...
 */
#include <dirent.h>
#include <sys/stat.h>

#include "test/fuzz/fuzz.h"

static unsigned int count;

static int replay_file(const char *path)
{
	static uint8_t data[1 << 20];
	FILE *f = fopen(path, "rb");
	uint8_t *copy;
	size_t len;

	if (!f) {
		perror(path);
		return -1;
	}
	len = fread(data, 1, sizeof(data), f);
	fclose(f);
	printf("# %s\n", path);
	fflush(stdout);
	copy = exact_copy(data, len);
	LLVMFuzzerTestOneInput(copy, len);
	free(copy);
	count++;
	return 0;
}

static int replay(const char *path)
{
	struct dirent *entry;
	struct stat st;
	int err = 0;
	DIR *dir;

	if (stat(path, &st) == 0 && S_ISREG(st.st_mode))
		return replay_file(path);
	dir = opendir(path);
	if (!dir) {
		perror(path);
		return -1;
	}
	while (!err && (entry = readdir(dir))) {
		char name[4096];

		if (entry->d_name[0] == '.')
			continue;
		snprintf(name, sizeof(name), "%s/%s", path, entry->d_name);
		err = replay_file(name);
	}
	closedir(dir);
	return err;
}

int main(int argc, char **argv)
{
	for (int i = 1; i < argc; i++)
		if (replay(argv[i]) < 0)
			return 1;
	printf("%sok - %u inputs of the corpus\n", count ? "" : "not ", count);
	return count ? 0 : 1;
}

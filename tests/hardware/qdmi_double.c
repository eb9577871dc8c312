/* A QDMI device library for tests: what it does wrong is chosen when it is compiled.
 *
 * Three sites in a line, gates h and cz; takes any OpenQASM 3 and answers every program with the
 * same outcome 0..01 (first bit one) as a list of shots. Its name is the token it was given, its
 * one job can be found again by id, in other processes too. */
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#ifndef VERSION
#define VERSION "1.4.2"
#endif
#ifndef CLAIM
#define CLAIM 0 /* bytes that the device's name claims to be */
#endif
#ifndef INIT
#define INIT 0 /* what session_init answers */
#endif
#ifndef PROGRAMS
#define PROGRAMS 0 /* what job_set_programs answers */
#endif
#ifndef UNIT
#define UNIT "us"
#endif
#ifndef RESULT
#define RESULT "001"
#endif

#define F(name) DOUBLE_QDMI_device_##name
enum { NOTFOUND = -5, INVALID = -7, UNSUPPORTED = -9, BADSTATE = -10 };

static char token[256];
static size_t shots, programs;
static int state;
static int sites[3], operations[3], handle;

static int answer(const void *data, size_t length, size_t size, void *value, size_t *size_ret) {
  if (size_ret) *size_ret = length;
  if (value && size < length) return INVALID;
  if (value) memcpy(value, data, length);
  return 0;
}
static int text(const char *words, size_t size, void *value, size_t *size_ret) {
  return answer(words, strlen(words) + 1, size, value, size_ret);
}
static int number(uint64_t n, size_t size, void *value, size_t *size_ret) {
  return answer(&n, sizeof n, size, value, size_ret);
}

int F(initialize)(void) { return 0; }
int F(finalize)(void) { return 0; }
int F(session_alloc)(void **session) { *session = &handle; return 0; }
void F(session_free)(void *session) { (void)session; }
int F(session_set_parameter)(void *session, int param, size_t size, const void *value) {
  (void)session;
  if (param != 1 || size > sizeof token) return UNSUPPORTED;
  memcpy(token, value, size);
  return 0;
}
int F(session_init)(void *session) { (void)session; return INIT; }

int F(session_query_device_property)(void *session, int prop, size_t size, void *value, size_t *size_ret) {
  void *places[] = {&sites[0], &sites[1], &sites[2]};
  void *known[] = {&operations[0], &operations[1], &operations[2]};
  void *pairs[] = {&sites[0], &sites[1], &sites[1], &sites[2]};
  int format = 1;
  double scale = 0.5;
  (void)session;
  switch (prop) {
  case 0:
    if (CLAIM) { *size_ret = CLAIM; return 0; }
    return text(token[0] ? token : "the double", size, value, size_ret);
  case 3: return text(VERSION, size, value, size_ret);
  case 4: return number(3, size, value, size_ret);
  case 5: return answer(places, sizeof places, size, value, size_ret);
  case 6: return answer(known, sizeof known, size, value, size_ret);
  case 7: return answer(pairs, sizeof pairs, size, value, size_ret);
  case 12: return text(UNIT, size, value, size_ret);
  case 13: return answer(&scale, sizeof scale, size, value, size_ret);
  case 15: return answer(&format, sizeof format, size, value, size_ret);
  default: return UNSUPPORTED;
  }
}
int F(session_query_site_property)(void *session, void *site, int prop, size_t size, void *value, size_t *size_ret) {
  (void)session;
  if (prop == 1) return number(30 + 10 * (uint64_t)((int *)site - sites), size, value, size_ret);
  return UNSUPPORTED;
}
int F(session_query_operation_property)(void *session, void *operation, size_t num_sites, void *const *at,
                                        size_t num_params, const double *params, int prop, size_t size,
                                        void *value, size_t *size_ret) {
  static const char *const names[] = {"h", "cz", "measure"};
  size_t which = (size_t)((int *)operation - operations);
  double fidelity = 0.75;
  (void)session, (void)num_sites, (void)at, (void)num_params, (void)params;
  switch (prop) {
  case 0: return text(names[which], size, value, size_ret);
  case 1: return number(which == 1 ? 2 : 1, size, value, size_ret);
  case 3: return number(4, size, value, size_ret);
  case 4: return answer(&fidelity, sizeof fidelity, size, value, size_ret);
  default: return UNSUPPORTED;
  }
}

int F(session_create_device_job)(void *session, void **job) { (void)session; *job = &handle; state = 0; return 0; }
int F(session_retrieve_device_job_by_id)(void *session, const char *id, void **job) {
  (void)session;
  if (strcmp(id, "job-1")) return NOTFOUND;
  *job = &handle;
  state = 4;
  return 0;
}
int F(job_set_parameter)(void *job, int param, size_t size, const void *value) {
  (void)job;
  if (param != 2 || size != sizeof shots) return UNSUPPORTED;
  memcpy(&shots, value, size);
  return 0;
}
int F(job_set_programs)(void *job, int format, size_t count, const size_t *sizes, const char *const *texts) {
  (void)job;
  for (size_t i = 0; i < count; i++)
    if (format != 1 || strlen(texts[i]) + 1 != sizes[i] || !strstr(texts[i], "qubit[3] q;")) return INVALID;
  programs = count;
  return PROGRAMS;
}
int F(job_get_program)(void *job, size_t index, size_t size, void *data, size_t *size_ret) {
  (void)job, (void)index, (void)size, (void)data, (void)size_ret;
  return UNSUPPORTED;
}
int F(job_get_program_status)(void *job, size_t index, int *status) {
  (void)job, (void)index, (void)status;
  return UNSUPPORTED;
}
int F(job_query_property)(void *job, int prop, size_t size, void *value, size_t *size_ret) {
  (void)job;
  return prop == 0 ? text("job-1", size, value, size_ret) : UNSUPPORTED;
}
int F(job_submit)(void *job) { (void)job; state = 4; return 0; }
int F(job_cancel)(void *job) { (void)job; return INVALID; }
int F(job_check)(void *job, int *status) { (void)job; *status = state; return 0; }
int F(job_get_results)(void *job, size_t index, int kind, size_t size, void *data, size_t *size_ret) {
  static char words[1 << 16];
  size_t width = strlen(RESULT) + 1, count = shots ? shots : 50; /* another process ran 50 of a found job */
  (void)job, (void)index;
  if (kind != 0) return UNSUPPORTED;
  if (width * count > sizeof words) return -2;
  for (size_t i = 0; i < count; i++) memcpy(words + i * width, RESULT ",", width);
  words[width * count - 1] = 0;
  return answer(words, width * count, size, data, size_ret);
}
void F(job_free)(void *job) { (void)job; }

/* Debian's python3.9 has the interpreter built in. A program that embeds Python
   loads libpython, so this one does too: then both arms run the same code. */
#include <Python.h>

int main(int argc, char **argv) { return Py_BytesMain(argc, argv); }

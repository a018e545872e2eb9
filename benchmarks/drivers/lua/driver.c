// Runs a few scripts in one Lua state each; what they return is printed.
#include "../../programs/program.h"
#include "lauxlib.h"
#include "lua.h"
#include "lualib.h"
#include "scripts.h"

int main(int argc, char **argv) {
  int n = argument(argc, argv, 1);
  for (size_t i = 0; i < sizeof scripts / sizeof *scripts; i++) {
    lua_State *state = luaL_newstate();
    luaL_openlibs(state);
    if (luaL_loadstring(state, scripts[i].text) != LUA_OK)
      return 1;
    lua_pushinteger(state, n);
    if (lua_pcall(state, 1, 1, 0) != LUA_OK) {
      printf("%s: %s\n", scripts[i].name, lua_tostring(state, -1));
      return 1;
    }
    printf("%s: %s\n", scripts[i].name, luaL_tolstring(state, -1, NULL));
    lua_close(state);
  }
}

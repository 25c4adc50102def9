/* Evaluates expressions of a, b and c with muParser: a line each in, a number or "error" and why out. */
#include <cstdio>
#include <iostream>
#include <muParser.h>
#include <string>

int main() {
    double a = 2.5, b = 0.75, c = 3;
    mu::Parser parser;
    parser.DefineVar("a", &a);
    parser.DefineVar("b", &b);
    parser.DefineVar("c", &c);
    for (std::string line; std::getline(std::cin, line);) {
        try {
            parser.SetExpr(line);
            std::printf("%.17g\n", parser.Eval());
        } catch (const mu::Parser::exception_type &error) {
            std::printf("error %s\n", error.GetMsg().c_str());
        }
    }
}

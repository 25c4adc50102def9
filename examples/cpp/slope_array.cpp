// Slope of elevations in memory, in tiles on two threads. Needs no GDAL.
// c++ -std=c++17 slope_array.cpp $(pkg-config --cflags --libs terralume) -pthread -o slope_array
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <memory>
#include <stdexcept>
#include <string>
#include <terralume.h>
#include <thread>
#include <vector>

namespace {

void check(terralume_status status) {
    if (status != TERRALUME_STATUS_OK) throw std::runtime_error(terralume_last_error_message());
}

/// A recipe ready to run; freed with its last owner.
class Chain {
public:
    Chain(const std::string &recipe, double cell) {
        terralume_grid grid;
        check(terralume_grid_init(&grid, sizeof grid));
        grid.cell_width = grid.cell_height = cell;
        terralume_chain *made = nullptr;
        check(terralume_chain_new(recipe.c_str(), &grid, nullptr, &made));
        chain_.reset(made);
    }

    std::size_t radius() const {
        std::size_t radius = 0;
        check(terralume_chain_radius(chain_.get(), &radius));
        return radius;
    }

    /// The result for `rows` rows from `first` on, of a raster that is in memory as a whole.
    void run(const std::vector<float> &raster, std::size_t cols, std::size_t first, std::size_t rows,
             float *output) const {
        const std::size_t all = raster.size() / cols;
        terralume_array array;
        check(terralume_array_init(&array, sizeof array));
        array.margin_top = std::min(radius(), first);
        array.margin_bottom = std::min(radius(), all - first - rows);
        array.cells = raster.data() + (first - array.margin_top) * cols;
        array.rows = rows;
        array.cols = cols;
        check(terralume_chain_run(chain_.get(), &array, rows * cols * sizeof *output, output));
    }

private:
    struct Free {
        void operator()(terralume_chain *chain) const { terralume_chain_free(chain); }
    };
    std::unique_ptr<terralume_chain, Free> chain_;
};

} // namespace

int main() try {
    const std::size_t rows = 200, cols = 300;
    std::vector<float> heights(rows * cols), slopes(rows * cols), whole(rows * cols);
    for (std::size_t i = 0; i < heights.size(); ++i) {
        heights[i] = 10 * std::sin(0.1F * static_cast<float>(i / cols)) + 0.3F * static_cast<float>(i % cols);
    }
    const Chain slope("slope", 1.0);
    // An exception must not leave a thread; this work cannot fail once the whole raster has passed.
    slope.run(heights, cols, 0, rows, whole.data());
    std::thread upper([&] { slope.run(heights, cols, 0, rows / 2, slopes.data()); });
    slope.run(heights, cols, rows / 2, rows / 2, slopes.data() + rows / 2 * cols);
    upper.join();
    std::printf("slope in the middle: %.2f degrees; tiles and whole %s\n",
                static_cast<double>(slopes[rows / 2 * cols + cols / 2]), slopes == whole ? "agree" : "DIFFER");
    return slopes == whole ? 0 : 1;
} catch (const std::exception &error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
}

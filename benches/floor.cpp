// Reads every block of every file with some threads and does nothing else: what reading a stack costs at least.
// Usage: floor THREADS FILE...
#include <gdal.h>

#include <atomic>
#include <cstdlib>
#include <thread>
#include <vector>

int main(int argc, char** argv) {
    GDALAllRegister();
    std::atomic<int> next{2};
    auto read = [&] {
        std::vector<char> block;
        for (int file; (file = next++) < argc;) {
            GDALDatasetH dataset = GDALOpen(argv[file], GA_ReadOnly);
            if (!dataset) std::exit(1);
            for (int index = 1; index <= GDALGetRasterCount(dataset); ++index) {
                GDALRasterBandH band = GDALGetRasterBand(dataset, index);
                int width, height;
                GDALGetBlockSize(band, &width, &height);
                const int size = GDALGetDataTypeSizeBytes(GDALGetRasterDataType(band));
                block.resize(static_cast<size_t>(width) * height * size);
                const int across = (GDALGetRasterXSize(dataset) + width - 1) / width;
                const int down = (GDALGetRasterYSize(dataset) + height - 1) / height;
                for (int row = 0; row < down; ++row)
                    for (int col = 0; col < across; ++col)
                        if (GDALReadBlock(band, col, row, block.data()) != CE_None) std::exit(1);
            }
            GDALClose(dataset);
        }
    };
    std::vector<std::thread> threads;
    for (int index = 0; index < std::atoi(argv[1]); ++index) threads.emplace_back(read);
    for (auto& thread : threads) thread.join();
}
